import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkConsistency, type PackageFacts } from '../../functions/check/consistency.ts';
import { findingsNews } from '../../functions/server/findings-news.ts';

function reportOf(...packages: (Partial<PackageFacts> & { readonly name: string })[]) {
  const nothing = { path: '', depends: [], requires: [], provides: [] };
  return checkConsistency(packages.map((facts) => ({ file: `${facts.name}.tgz`, ...nothing, ...facts })));
}

const whole = reportOf({ name: 'a-1' });
const oneMissing = reportOf({ name: 'a-1', depends: ['gone>=1'] }, { name: 'b-1', depends: ['gone>=1'] });

test('the news of a report name what came and what went', () => {
  const cases: readonly (readonly [
    now: ReturnType<typeof reportOf>,
    before: ReturnType<typeof reportOf> | undefined,
    news: string | undefined,
  ])[] = [
    [whole, undefined, undefined],
    [whole, whole, undefined],
    [oneMissing, oneMissing, undefined],
    [oneMissing, reportOf({ name: 'b-1', depends: ['gone>=1'] }), undefined],
    [oneMissing, whole, 'does not fit together: gone>=1, which a-1 (and 1 more) needs (1 finding in all)'],
    [oneMissing, undefined, 'does not fit together: gone>=1, which a-1 (and 1 more) needs (1 finding in all)'],
    [whole, oneMissing, 'fits together again: gone>=1, which a-1 (and 1 more) needs (nothing else is wrong)'],
    [
      reportOf({ name: 'a-1', depends: ['away>=1'] }),
      oneMissing,
      'does not fit together: away>=1, which a-1 needs; fits together again: gone>=1, which a-1 (and 1 more) needs (1 finding in all)',
    ],
    [
      reportOf(
        { name: 'a-1', path: 'x/a', requires: ['/usr/pkg/lib/no.so'], provides: ['/usr/pkg/lib/a.so'] },
        { name: 'a-2', path: 'x/a' },
        { name: 'a-2', path: 'x/a', file: 'copy\x1b.tgz' },
      ),
      whole,
      'does not fit together: /usr/pkg/lib/no.so, which a-1 requires, a-2 in a-2.tgz and copy\\x1b.tgz, a-1 and a-2 of x/a (3 findings in all)',
    ],
    [
      reportOf({ name: 'a-1', depends: ['b>=1', 'c>=1', 'd>=1', 'e>=1', 'f>=1'] }),
      whole,
      'does not fit together: b>=1, which a-1 needs, c>=1, which a-1 needs, d>=1, which a-1 needs and 2 more (5 findings in all)',
    ],
  ];
  for (const [now, before, news] of cases) assert.equal(findingsNews(now, before), news);
});
