import {describe, expect, it} from 'vitest';
import {listTables} from '../../source/host/netfilter/nftables.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';

describe('the tables of nftables', () => {
	const lab = useLab();

	it('are those that nft lists, also those without chains and those that sleep', async () => {
		const host = await lab.host();
		await host.must('nft', ['-f', '-'], {
			input: `table inet plain { chain input { type filter hook input priority 0; }; }
table ip6 empty { }
table ip sleeping { flags dormant; chain forward { type filter hook forward priority 0; }; }
table arp set-only { set some { type ipv4_addr; }; }
`,
		});
		await host.must('iptables', ['-A', 'INPUT', '-j', 'ACCEPT']);
		const listed = await host.must('nft', ['list', 'tables']);
		expect(listed.split('\n').filter(Boolean)).toHaveLength(5);
		expect((await listTables(host.run)).map(({name}) => name)).toEqual(
			listed
				.split('\n')
				.filter(Boolean)
				.map((line) => line.replace('table ', '')),
		);
	});
});
