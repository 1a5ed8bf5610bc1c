import fc from 'fast-check';
import type {Family} from '../../../source/lib/network.ts';

/** Rules of other programs on one machine, as texts that are loaded. */
export type KeptRules = {
	/** For iptables-restore of the backend in use, and of the other one. */
	readonly inUse: Readonly<Record<Family, string>>;
	readonly other: Readonly<Record<Family, string>>;
	/** For nft(8); empty for none. */
	readonly native: string;
};

/** What the rules speak of: the sources of a test, its ports, its container, and an ipset of each family. */
export const NETWORKS: Readonly<Record<Family, readonly string[]>> = {
	4: ['203.0.113.60/32', '203.0.113.0/25', '192.0.2.0/24', '198.51.100.0/24'],
	6: ['2001:db8:66::6/128', '2001:db8:66::/48', '2001:db8::/64'],
};
export const PORTS = [22, 53, 80, 443, 3306, 8080] as const;
export const SETS: Readonly<Record<Family, string>> = {4: 'bad4', 6: 'bad6'};
const CONTAINER = {4: '172.17.0.2', 6: '[fd00:d0c::2]'} as const;

const port = fc.constantFrom(...PORTS);
const protocol = fc.constantFrom('tcp', 'udp');
const ported = fc
	.tuple(protocol, port)
	.map(([name, number]) => `-p ${name} -m ${name} --dport ${number}`);

/** Conditions of a rule, in the order in which iptables-save prints them. */
function matches(family: Family): fc.Arbitrary<string> {
	const source = fc
		.tuple(fc.constantFrom('', '! '), fc.constantFrom(...NETWORKS[family]))
		.map(([not, network]) => `${not}-s ${network}`);
	const more = fc.constantFrom(
		'-m addrtype --dst-type LOCAL',
		`-m set --match-set ${SETS[family]} src`,
		`-m set ! --match-set ${SETS[family]} src`,
		'! -i docker0',
		'-m conntrack --ctstate NEW',
	);
	return fc
		.tuple(
			fc.option(source, {nil: ''}),
			fc.option(ported, {nil: '', freq: 3}),
			fc.option(more, {nil: '', freq: 1}),
		)
		.map((parts) => parts.filter(Boolean).join(' '))
		.filter((text) => text !== '');
}

function chainOf(name: string, rule: fc.Arbitrary<string>, most: number): fc.Arbitrary<string> {
	return fc
		.array(rule, {maxLength: most})
		.map((rules) => rules.map((text) => `-A ${name} ${text}\n`).join(''));
}

const policy = fc.constantFrom('ACCEPT', 'ACCEPT', 'DROP');

/** INPUT of the filter table, and a chain that it leads to. */
function filters(family: Family, forwards: boolean): fc.Arbitrary<string> {
	const match = matches(family);
	const deciding = fc
		.tuple(match, fc.constantFrom('ACCEPT', 'DROP', 'REJECT', 'RETURN'))
		.map(([text, target]) => `${text} -j ${target}`);
	const jump = match.map((text) => `${text} -j KEPT`);
	return fc
		.tuple(
			policy,
			policy,
			chainOf('INPUT', fc.oneof(deciding, jump), 4),
			chainOf('KEPT', deciding, 2),
			fc.constantFrom('', `-A FORWARD -o docker0 -p tcp -j ACCEPT\n`),
		)
		.map(
			([input, forward, rules, kept, accept]) =>
				`*filter\n:INPUT ${input} [0:0]\n:FORWARD ${forwards ? forward : 'ACCEPT'} [0:0]\n:KEPT - [0:0]\n${rules}${kept}-A FORWARD -i docker0 -j ACCEPT\n${accept}COMMIT\n`,
		);
}

function tables(family: Family): fc.Arbitrary<string> {
	const match = matches(family).filter((text) => !text.includes('ctstate'));
	const raw = fc.oneof(
		match.map((text) => `${text} -j DROP`),
		ported.map((text) => `${text} -j CT --notrack`),
	);
	const nat = fc
		.tuple(ported, port, fc.constantFrom(...NETWORKS[family], undefined), fc.boolean())
		.map(([text, to, network, redirects]) => {
			const target = redirects
				? `REDIRECT --to-ports ${to}`
				: `DNAT --to-destination ${CONTAINER[family]}:${to}`;
			return `${network === undefined ? '' : `-s ${network} `}! -i docker0 ${text} -j ${target}`;
		});
	const table = (name: string, rules: fc.Arbitrary<string>) =>
		rules.map((text) => (text === '' ? '' : `*${name}\n${text}COMMIT\n`));
	return fc
		.tuple(
			table('raw', chainOf('PREROUTING', raw, 1)),
			table(
				'mangle',
				chainOf(
					'PREROUTING',
					match.map((text) => `${text} -j DROP`),
					1,
				),
			),
			table('nat', chainOf('PREROUTING', nat, 2)),
			filters(family, true),
		)
		.map((parts) => parts.join(''));
}

/** A table of nftables that drops, rejects or redirects. */
const native = fc
	.tuple(fc.constantFrom(...NETWORKS[4], ...NETWORKS[6]), protocol, port, port)
	.map(([network, name, first, second]) => {
		const source = `${network.includes(':') ? 'ip6' : 'ip'} saddr ${network}`;
		return `table inet kept {
	chain first { type filter hook prerouting priority raw; ${source} ${name} dport ${first} drop; }
	chain arriving { type nat hook prerouting priority dstnat; ${name} dport ${second} redirect to :${first}; }
	chain input { type filter hook input priority filter - 5; ${name} dport ${first} ${source} reject; }
}\n`;
	});

export const keptRules: fc.Arbitrary<KeptRules> = fc.record({
	inUse: fc.record({4: tables(4), 6: tables(6)}),
	other: fc.record({
		4: fc.option(filters(4, false), {nil: '', freq: 1}),
		6: fc.option(filters(6, false), {nil: '', freq: 1}),
	}),
	native: fc.option(native, {nil: '', freq: 1}),
});
