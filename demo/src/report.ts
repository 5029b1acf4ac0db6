/** The closing words of a run, for people. */
import { join } from 'node:path';
import { formatAmount } from '@drawbridge/protocol/amount';
import Table from 'cli-table3';
import { ASSETS, BANKS } from './cast.ts';
import type { LocalSystem } from './local-system.ts';
import type { AssetBalance, Outcomes } from './reconcile.ts';

const PLAIN = { head: [], border: [], compact: true };

export function balancesText(balances: readonly AssetBalance[]): string {
  const table = new Table({
    head: ['asset', 'in escrow', 'outstanding', 'on accounts', 'in suspense', 'in transit', 'agrees'],
    style: PLAIN,
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'left'],
  });
  for (const balance of balances) {
    const scale = ASSETS.find((asset) => asset.code === balance.asset)?.scale ?? 0;
    table.push([
      balance.asset,
      formatAmount(balance.escrowedMinor, scale),
      formatAmount(balance.outstandingMinor, scale),
      formatAmount(balance.accountsMinor, scale),
      formatAmount(balance.suspenseMinor, scale),
      formatAmount(balance.transitMinor, scale),
      balance.conserved ? 'yes' : 'NO',
    ]);
  }
  return `\nBalances: what the vaults hold, against what the core owes\n${table.toString()}`;
}

export function outcomesText(outcomes: Outcomes): string {
  const { payments, elapsedMs, conserved, unmatched, routes, ...ends } = outcomes;
  const parts = Object.entries(ends).flatMap(([name, count]) => {
    const word = name === 'duplicates' && count === 1 ? 'duplicate' : name;
    return count > 0 ? [`${count} ${word}`] : [];
  });
  const locks = unmatched > 1 ? `${unmatched} locks fit nothing and wait` : '1 lock fits nothing and waits';
  return [
    `${payments} ${payments === 1 ? 'payment' : 'payments'}: ${parts.join(', ')}${unmatched > 0 ? `; ${locks} in suspense` : ''}.`,
    `${conserved ? 'Every sum agrees' : 'THE SUMS DO NOT AGREE'} on ${routes ? 'all networks' : 'both chains'} and in the core. ${(elapsedMs / 1_000).toFixed(1)} s from start to end.`,
    ...(routes
      ? [
          `Settled by route: ${Object.entries(routes)
            .map(([route, count]) => `${route} ${count}`)
            .join(', ')}.`,
        ]
      : []),
  ].join('\n');
}

export function nextStepsText(system: LocalSystem): string {
  const bank = BANKS[0];
  const profile = [
    ...system.coreUrls.map((url) => `--url ${url}`),
    `--service-cert ${system.serviceCertFile}`,
    `--cert ${system.identity(bank?.short ?? '').certFile}`,
    `--key ${system.identity(bank?.short ?? '').keyFile}`,
  ].join(' ');
  return [
    '',
    'Everything stays up until you press Ctrl-C. Look next at:',
    `  relay queues         ${system.hubUrl}/board    metrics at /metrics, health at /healthz`,
    `  the API, described   curl --cacert ${system.serviceCertFile} ${system.coreUrl}/docs`,
    `  ${`${bank?.name ?? ''}'s`.padEnd(20)} npm run -s drawbridge -- accounts ${profile}`,
    `  keys, logs, genesis  ${system.dir}`,
    `  the README's lines   export RUN=${system.dir} CORE=${system.coreUrl}`,
    `  core's log           ${join(system.dir, 'logs', 'core.log')}`,
  ].join('\n');
}
