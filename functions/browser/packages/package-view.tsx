/** One package: what it is, how to install it, and how it relates to others. */

import type { ComponentChildren } from 'preact';
import type { PatternProblem } from '../../version/pattern.ts';
import { CopiedLine } from '../elements/copied-line.tsx';
import { Fold, Section } from '../elements/sections.tsx';
import { countText, sizeText } from '../elements/wording.ts';
import { fileReference, installCommands } from './install-commands.ts';
import type { PackageDetails, PackageLink } from './package-details.ts';
import { PackageAnchor, PackageLinkList } from './package-links.tsx';
import { formatRoute, wholeList } from './route.ts';
import { sourceLink, webLink } from './web-link.ts';

/** Why no package could match a pattern. */
export const patternProblemTexts: Readonly<Record<PatternProblem, string>> = {
  'unbalanced-braces': 'unbalanced braces',
  'too-many-alternatives': 'too many alternatives',
  'too-long': 'too long',
  'too-complicated': 'takes too long to match',
};

interface PackageViewProperties {
  readonly details: PackageDetails;
  /** With the slash at its end. */
  readonly repositoryUrl: string;
}

export function PackageView({ details, repositoryUrl }: PackageViewProperties) {
  const { listed, categories, warnings, description } = details;
  return (
    <article class="package-view">
      <header>
        <h1 tabIndex={-1}>
          {listed.base}
          {listed.version !== '' && <span class="version"> {listed.version}</span>}
        </h1>
        <p class="lead">{listed.comment}</p>
        <p class="chips">
          {categories.map((category) => (
            <a key={category} class="chip" href={formatRoute({ ...wholeList, category })}>
              {category}
            </a>
          ))}
        </p>
      </header>
      {warnings.length > 0 && (
        <Section title="Warnings" class="warnings">
          <ul>
            {warnings.map(({ code, remedy }) => (
              <li key={code}>
                <code>{code}</code> {remedy}
              </li>
            ))}
          </ul>
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
  /** The newest package with the same name, without the version. */
  readonly newest: PackageLink | undefined;
}

export function MissingPackageView({ name, newest }: MissingPackageViewProperties) {
  return (
    <article class="package-view">
      <h1 tabIndex={-1}>Package not found</h1>
      <p>
        This repository has no package <code>{name}</code>.{' '}
        {newest !== undefined && (
          <>
            The current version is <PackageAnchor package={newest} />.
          </>
        )}
      </p>
      {newest === undefined && (
        <p>
          <a href={formatRoute({ ...wholeList, text: name.replace(/-[0-9][^-]*$/, '') })}>Search for similar names</a>
        </p>
      )}
    </article>
  );
}

function Install({ details, repositoryUrl }: PackageViewProperties) {
  const { listed, isNewest, everythingNeeded } = details;
  const { pkgin, pkgAdd } = installCommands(repositoryUrl, listed, isNewest);
  const size = sizeText(listed.size);
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
          {everythingNeeded.packages === 0
            ? 'Needs no other package.'
            : `With dependencies: ${countText(everythingNeeded.packages, 'more package')}, ${sizeText(everythingNeeded.bytes)}.`}
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
        {neededBy.count === 0 ? <p class="muted">No package here.</p> : <PackageLinkList packages={neededBy} />}
      </Section>
      {conflicts.length > 0 && (
        <Section title="Conflicts with" count={conflicts.length}>
          <CodeRows
            rows={conflicts.map(({ pattern, matching }) => [
              pattern,
              matching.count === 0 ? <span class="muted">none here</span> : <PackageLinkList packages={matching} />,
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
            rows={requires.map(({ library, status, providers }) => [
              library,
              status === 'provided' ? (
                <PackageLinkList packages={providers} />
              ) : (
                <span class={status === 'missing' ? 'missing' : 'muted'}>
                  {status === 'missing' ? 'missing: no package here provides it' : 'part of the system'}
                </span>
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
              consumers.count === 0 ? (
                <span class="muted">no package here requires it</span>
              ) : (
                <PackageLinkList packages={consumers} />
              ),
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
            {satisfiedBy?.comment ??
              (problem === undefined
                ? 'no package here matches'
                : `no package can match: ${patternProblemTexts[problem]}`)}
          </span>
        </li>
      ))}
    </ul>
  );
}

/** What each of these stands for. */
export function CodeRows({ rows }: { readonly rows: readonly (readonly [code: string, about: ComponentChildren])[] }) {
  return (
    <ul class="dependencies">
      {rows.map(([code, about]) => (
        <li key={code}>
          <code>{code}</code>
          {about}
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
        {rows
          .filter(([, value]) => value)
          .map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
      </dl>
    </aside>
  );
}

function WebLink({ text, url }: { readonly text: string; readonly url: string | undefined }) {
  if (url === undefined) return <>{text}</>;
  return (
    <a href={url} rel="noopener noreferrer nofollow">
      {text}
    </a>
  );
}

function Codes({ values }: { readonly values: readonly string[] }) {
  return (
    <ul class="links">
      {values.map((value) => (
        <li key={value}>
          <code>{value}</code>
        </li>
      ))}
    </ul>
  );
}
