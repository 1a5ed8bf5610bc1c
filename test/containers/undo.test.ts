import {beforeAll, describe, expect, test} from 'vitest';
import {PROGRAM, useDebians} from '../_helpers/lab/debian.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import {BEDS, CONTAINERS} from './containers.ts';
import {type ContainerHost, openBed} from './open-bed.ts';

const APPLY = ['apply', '--role', 'server', '--published', 'policy', '--yes'];

describe.each(BEDS.slice(0, rounds(1, BEDS.length)))(
	'what other programs have: $program of $suite, $backend, $daemon',
	(bed) => {
		const debians = useDebians(useLab());
		let host: ContainerHost;

		beforeAll(async () => {
			host = await openBed(debians, bed, CONTAINERS.slice(0, 2));
		}, 600_000);

		/**
		 * The tables of both families, and podman's own of nftables, byte for byte but for counters and the time.
		 * A table without a rule, which iptables makes where it looks for one, is none.
		 */
		const read = async (): Promise<Readonly<Record<string, string>>> => {
			const tables = ['filter', 'nat', 'mangle'].flatMap((table) => [
				[`IPv4 ${table}`, 'iptables-save', '-t', table],
				[`IPv6 ${table}`, 'ip6tables-save', '-t', table],
			]);
			const netavark = ['netavark', 'nft', '--stateless', 'list', 'table', 'inet', 'netavark'];
			const found = [...tables, netavark].map(async ([name = '', program = '', ...words]) => {
				const {stdout} = await host.host.run(program, words);
				const text = stdout.replaceAll(/^#.*\n| \[\d+:\d+\]$/gm, '');
				return [name, text.replace(/^\*\w+\n(?::\w+ ACCEPT\n)*COMMIT\n$/, '')];
			});
			return Object.fromEntries(await Promise.all(found));
		};
		/** The lines of some chains of filter, in their order. */
		const linesOf = (tables: Readonly<Record<string, string>>, chains: RegExp) =>
			['IPv4 filter', 'IPv6 filter'].flatMap((name) =>
				(tables[name] ?? '').split('\n').filter((line) => chains.test(line)),
			);
		const wizard = async (...words: readonly string[]) =>
			host.host.must('node', [PROGRAM, ...words]);

		test('is not touched by a change, and all tables are as before after undo and undo --all', async () => {
			const before = await read();
			// A table that is made with our rules has the policy ACCEPT.
			const chains = /^(?::|-A )(?!FORWARD ACCEPT$)(?:FORWARD|DOCKER|NETAVARK)/;
			expect(linesOf(before, chains).length + (before.netavark?.length ?? 0)).toBeGreaterThan(2);
			for (const words of [['undo'], ['undo', '--all']]) {
				await wizard(...APPLY, '--open', '8080/tcp');
				const during = await read();
				expect(during['IPv4 mangle']).toContain('-A FORWARD -j FW-WIZARD-FORWARD');
				expect(during['IPv6 mangle']).toContain('-A FORWARD -j FW-WIZARD-FORWARD');
				for (const name of ['IPv4 nat', 'IPv6 nat', 'netavark']) {
					expect(during[name], name).toBe(before[name]);
				}

				expect(linesOf(during, chains)).toEqual(linesOf(before, chains));
				await wizard(...APPLY, '--open', '8086/tcp', '--verdict', 'drop');
				await wizard(...words);
				if (words.length === 1) {
					await wizard(...words);
				}

				expect(await read(), words.join(' ')).toEqual(before);
			}
		}, 240_000);
	},
);
