/** One package: what it is, how to install it, and how it relates to others. */

import type { ComponentChildren } from 'preact';
import { CopiedLine } from '../elements/copied-line.tsx';
import { CodeRows, Codes, Fold, Section } from '../elements/sections.tsx';
import { countText, patternProblemTexts, sizeText } from '../elements/wording.ts';
import { fileReference, installCommands } from './install-commands.ts';
import type { PackageDetails, PackageLink } from './package-details.ts';
import { PackageAnchor, PackageLinkList } from './package-links.tsx';
import { formatRoute, wholeList } from './route.ts';
import { sourceLink, webLink } from './web-link.ts';

interface PackageViewProperties {
  readonly details: PackageDetails;
  /** With the slash at its end. */
  readonly repositoryUrl: string;
}

export function PackageView({ details, repositoryUrl }: PackageViewProperties) {
  const { listed, newer, categories, warnings, description } = details;
  return (
    <article class="package-view">
      <h1 tabIndex={-1}>
        {listed.base}
        {listed.version !== '' && <span class="version"> {listed.version}</span>}
      </h1>
      <p class="lead">{listed.comment}</p>
      {newer && (
        <p>
          A newer version is here: <PackageAnchor package={newer} />
        </p>
      )}
      <p class="chips">
        {categories.map((category) => (
          <a key={category} class="chip" href={formatRoute({ ...wholeList, category })}>
            {category}
          </a>
        ))}
      </p>
      {warnings.length > 0 && (
        <Section title="Warnings" class="warnings">
          <CodeRows rows={warnings.map(({ code, remedy }) => [code, remedy])} />
        </Section>
      )}
      <div class="columns">
        <div>
          <Install details={details} repositoryUrl={repositoryUrl} />
          {description !== '' && (
            <Section title="Description">
              <p class="description">{description}</p>
            </Section>
          )}
          <Relations {...details} />
        </div>
        <Facts {...details} />
      </div>
    </article>
  );
}

interface MissingPackageViewProperties {
  readonly name: string;
  /** The newest package of that name without its version. */
  readonly newest: PackageLink | undefined;
}

export function MissingPackageView({ name, newest }: MissingPackageViewProperties) {
  const text = name.replace(/-[0-9][^-]*$/, '');
  return (
    <article class="package-view">
      <h1 tabIndex={-1}>Package not found</h1>
      <p>
        This repository has no package <code>{name}</code>.
      </p>
      <p>
        {newest ? (
          'The current version is '
        ) : (
          <a href={formatRoute({ ...wholeList, text })}>Search for similar names</a>
        )}
        {newest && <PackageAnchor package={newest} />}
      </p>
    </article>
  );
}

function Install({ details: { listed, newer, everythingNeeded }, repositoryUrl }: PackageViewProperties) {
  const { pkgin, pkgAdd } = installCommands(repositoryUrl, listed, newer === undefined);
  const size = sizeText(listed.size);
  const { packages, bytes } = everythingNeeded;
  return (
    <Section title="Install">
      {pkgin === undefined ? (
        <p class="muted">pkgin cannot install this package: see the warnings.</p>
      ) : (
        <CopiedLine what="pkgin command" line={pkgin} />
      )}
      <CopiedLine what="pkg_add command" line={pkgAdd} />
      <p class="download">
        <a class="button main" href={fileReference(listed.file)} download>
          Download{size && ` (${size})`}
        </a>
        <span class="muted">
          {packages > 0 && `With dependencies: ${countText(packages, 'more package')}, ${sizeText(bytes)}.`}
          {packages === 0 && 'Needs no other package.'}
        </span>
      </p>
    </Section>
  );
}

function Relations({ depends, neededBy, requires, provides, conflicts, supersedes }: PackageDetails) {
  return (
    <>
      <Section title="Depends on" count={depends.length}>
        {depends.length === 0 ? <p class="muted">Nothing.</p> : <Dependencies depends={depends} />}
      </Section>
      <Section title="Needed by" count={neededBy.count}>
        <PackageLinkList packages={neededBy} none="No package here." />
      </Section>
      {conflicts.length > 0 && (
        <Section title="Conflicts with" count={conflicts.length}>
          <CodeRows
            rows={conflicts.map(({ pattern, matching }) => [
              pattern,
              <PackageLinkList packages={matching} none="no package here" />,
            ])}
          />
        </Section>
      )}
      {supersedes.length > 0 && (
        <Section title="Supersedes" count={supersedes.length}>
          <Codes values={supersedes} />
        </Section>
      )}
      {requires.length > 0 && (
        <Fold title="Requires libraries" count={requires.length} class="card">
          <CodeRows
            rows={requires.map(({ library, isMissing, providers }) => [
              library,
              isMissing ? (
                <span class="missing">missing: no package here provides it</span>
              ) : (
                <PackageLinkList packages={providers} none="part of the system" />
              ),
            ])}
          />
        </Fold>
      )}
      {provides.length > 0 && (
        <Fold title="Provides libraries" count={provides.length} class="card">
          <CodeRows
            rows={provides.map(({ library, consumers }) => [
              library,
              <PackageLinkList packages={consumers} none="no package here requires it" />,
            ])}
          />
        </Fold>
      )}
    </>
  );
}

function Dependencies({ depends }: Pick<PackageDetails, 'depends'>) {
  return (
    <ul class="dependencies three">
      {depends.map(({ pattern, satisfiedBy, problem }) => (
        <li key={pattern}>
          {satisfiedBy ? <PackageAnchor package={satisfiedBy} /> : <strong class="missing">missing</strong>}
          <code class="muted">{pattern}</code>
          <span class="muted">
            {satisfiedBy?.comment}
            {!satisfiedBy &&
              (problem ? `no package can match: ${patternProblemTexts[problem]}` : 'no package here matches')}
          </span>
        </li>
      ))}
    </ul>
  );
}

function Facts({ homepage, licence, path, options, installedSize, listed, facts }: PackageDetails) {
  const rows: readonly (readonly [name: string, value: ComponentChildren])[] = [
    ['Homepage', homepage && <WebLink text={homepage} url={webLink(homepage)} />],
    ['Licence', licence],
    ['Options', options.length > 0 && <Codes values={options} />],
    ['Download', sizeText(listed.size)],
    ['Installed', sizeText(installedSize)],
    ['Source (PKGPATH)', path && <WebLink text={path} url={sourceLink(path)} />],
    ...facts,
  ];
  return (
    <aside class="card" aria-label="Facts">
      <dl>
        {rows.map(
          ([name, value]) =>
            value && (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
      </dl>
    </aside>
  );
}

function WebLink({ text, url }: { readonly text: string; readonly url: string | undefined }) {
  if (url === undefined) return text;
  return (
    <a href={url} rel="noopener noreferrer nofollow">
      {text}
    </a>
  );
}
