import {readFileSync} from 'node:fs';
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {FAMILIES, type Family} from '../../source/lib/network.ts';
import {parseOpening} from '../../source/policy/parse-opening.ts';
import {completePolicy} from '../../source/policy/policy.ts';
import {buildRuleSet} from '../../source/ruleset/build.ts';
import {compareRules, ownRules} from '../../source/ruleset/diff.ts';
import {printRestore} from '../../source/ruleset/format-iptables.ts';
import {type FamilyRules, findChain, type Rule, type Table} from '../../source/ruleset/model.ts';
import {parseSave} from '../../source/ruleset/parse-save.ts';
import {protocolNumberOf} from '../../source/ruleset/protocol-names.ts';
import {policies} from '../_helpers/samples/arbitraries.ts';
import {countCalls} from '../_helpers/samples/count-calls.ts';
import {
	FOREIGN_IPV4,
	FOREIGN_IPV6,
	OWN_IPV4,
	OWN_IPV6,
	OWN_OPENINGS,
} from '../_helpers/samples/samples.ts';

const foreign: Readonly<Record<Family, FamilyRules>> = {
	4: parseSave(FOREIGN_IPV4, 4),
	6: parseSave(FOREIGN_IPV6, 6),
};

/** The one rule of the other programs' INPUT whose line contains `text`. */
function read(text: string, family: Family = 4): Rule {
	const source = family === 4 ? FOREIGN_IPV4 : FOREIGN_IPV6;
	const lines = source.split('\n').filter((line) => line.startsWith('-A INPUT '));
	const hits = [...lines.keys()].filter((index) => lines[index]?.includes(text));
	expect(hits, text).toHaveLength(1);
	const rule = findChain(foreign[family], 'filter', 'INPUT')?.rules[hits[0] ?? -1];
	if (!rule) {
		throw new Error(`no rule ${text}`);
	}

	return rule;
}

function builtFor(family: Family, part: Parameters<typeof completePolicy>[0]): FamilyRules {
	const [rules] = buildRuleSet(completePolicy(part), {families: [family]}).families;
	if (!rules) {
		throw new Error('no rules');
	}

	return rules;
}

describe('what iptables-save says of our own rules', () => {
	const openings = OWN_OPENINGS.flatMap((text) => parseOpening(text, new Map()));
	const part = {verdict: 'reset', helpers: ['ftp', 'sip', 'h323'], log: true, openings} as const;

	it.each([
		[4 as const, OWN_IPV4],
		[6 as const, OWN_IPV6],
	])('is read as what was built, IPv%i', (family, save) => {
		const saved = parseSave(save, family);
		expect(compareRules(builtFor(family, part), ownRules(saved))).toEqual([]);
		expect(compareRules(builtFor(family, part), saved)).toEqual([]);
	});

	it('is read the same with counters', () => {
		const counted = OWN_IPV4.replaceAll(/^-A/gm, '[12:3456] -A');
		expect(parseSave(counted, 4)).toEqual(parseSave(OWN_IPV4, 4));
	});
});

describe('parseSave of what we print', () => {
	it('is the rule set again, for every policy', () => {
		fc.assert(
			fc.property(policies(), fc.constantFrom(...FAMILIES), (policy, family) => {
				const built = builtFor(family, policy);
				const heads = /(?<=^\*(filter|raw|mangle)$)/gm;
				const text = printRestore(built).replaceAll(
					heads,
					'\n:INPUT ACCEPT\n:OUTPUT ACCEPT\n:PREROUTING ACCEPT\n:FORWARD ACCEPT',
				);
				const read = parseSave(text, family);
				expect(compareRules(built, read)).toEqual([]);
				expect(findChain(read, 'filter', 'FW-WIZARD-INPUT')?.rules).toEqual(
					findChain(built, 'filter', 'FW-WIZARD-INPUT')?.rules.map(({match, target}) => ({
						match,
						target,
					})),
				);
			}),
			{numRuns: 500},
		);
	});
});

describe("parseSave of other programs' rules", () => {
	it('keeps tables, chains, policies and the number of rules', () => {
		expect(foreign[4].tables.map(({name}) => name)).toEqual(['raw', 'filter']);
		expect(foreign[4].tables[1]?.chains.map(({name, policy}) => `${name} ${policy}`)).toEqual([
			'INPUT ACCEPT',
			'FORWARD DROP',
			'OUTPUT ACCEPT',
			'DOCKER undefined',
			'f2b-sshd undefined',
			'ts-input undefined',
		]);
		for (const [family, text] of [
			[4, FOREIGN_IPV4],
			[6, FOREIGN_IPV6],
		] as const) {
			const count = foreign[family].tables
				.flatMap(({chains}) => chains)
				.reduce((sum, {rules}) => sum + rules.length, 0);
			expect(count).toBe(text.split('\n').filter((line) => line.startsWith('-A')).length);
		}
	});

	it.each<[string, Rule]>([
		[
			'f2b-sshd',
			{
				match: {protocol: 'tcp', destinationPorts: [{first: 22, last: 22}]},
				target: {kind: 'chain', name: 'f2b-sshd'},
			},
		],
		['-s 10.0.0.0/16', {match: {source: '10.0.0.0/16'}, target: {kind: 'ACCEPT'}}],
		['"!"', {match: {source: '10.9.9.9/32'}, target: {kind: 'ACCEPT'}}],
		[
			'--sport 0:1023',
			{match: {protocol: 'udp', sourcePorts: [{first: 0, last: 1023}]}, target: {kind: 'DROP'}},
		],
		['--limit 7/sec', {match: {limit: {rate: '7/sec', burst: 3}}, target: {kind: 'ACCEPT'}}],
		['-i eth+', {match: {inInterface: 'eth+'}, target: {kind: 'ACCEPT'}}],
		['--ctstate DNAT', {match: {translated: true}, target: {kind: 'ACCEPT'}}],
		['-p 253', {match: {protocol: '253'}, target: {kind: 'ACCEPT'}}],
		['host-prohibited', {match: {}, target: {kind: 'REJECT', with: 'icmp-host-prohibited'}}],
		[
			'--state',
			{
				match: {states: ['NEW', 'ESTABLISHED', 'RELATED']},
				target: {kind: 'LOG', prefix: `it's "odd" \\ -j DROP `},
			},
		],
	])('reads %s in full', (text, rule) => {
		expect(read(text)).toEqual(rule);
	});

	it.each<[string, readonly string[], Rule['match']]>([
		[
			'! -s 10.0.0.0/8',
			['!', '-s', '10.0.0.0/8'],
			{protocol: 'tcp', destinationPorts: [{first: 3306, last: 3306}]},
		],
		['! -i eth0', ['!', '-i', 'eth0'], {destination: '198.51.100.9/32'}],
		[
			'! --tcp-flags',
			['!', '--tcp-flags', 'FIN,SYN,RST,ACK', 'SYN'],
			{protocol: 'tcp', states: ['NEW']},
		],
		['10.0.1.0/255.0.255.0', ['-s', '10.0.1.0/255.0.255.0'], {}],
		['ESTABLISHED,DNAT', ['--ctstate', 'RELATED,ESTABLISHED,DNAT'], {}],
		['! --ctstate NEW', ['!', '--ctstate', 'NEW'], {}],
		['! --dport 53', ['!', '--dport', '53'], {protocol: 'udp'}],
		['! --dports', ['!', '--dports', '80,443,8000:8010'], {protocol: 'tcp'}],
		['--ports 80,443', ['--ports', '80,443'], {protocol: 'tcp'}],
		['"-s"', ['-m', 'string', '--string', '-s', '--algo', 'bm'], {protocol: 'tcp'}],
		['"-j"', ['-m', 'string', '--string', '-j', '--algo', 'bm'], {protocol: 'tcp'}],
		['--icmp-type 8', ['-m', 'icmp', '--icmp-type', '8'], {protocol: 'icmp'}],
		['--dst-type LOCAL', ['-m', 'addrtype', '--dst-type', 'LOCAL'], {}],
		['--hashlimit-name b', expect.arrayContaining(['-m', 'hashlimit', 'b']), {protocol: 'tcp'}],
		['-f -j DROP', ['-f'], {}],
		['NONE', ['--tcp-flags', 'FIN,SYN,RST,PSH,ACK,URG', 'NONE'], {protocol: 'tcp'}],
	])('says what it cannot judge of %s', (text, unknown, match) => {
		expect(read(text).match).toEqual({...match, unknown});
	});

	it('reads ports of SCTP, and protocols by whatever name the machine has for them', () => {
		expect(read('-p sctp').match).toEqual({
			protocol: 'sctp',
			destinationPorts: [{first: 22, last: 22}],
		});
		const protocolOf = (name: string) =>
			parseSave(`*filter\n:X - [0:0]\n-A X -p ${name} -j ACCEPT\nCOMMIT\n`, 4).tables[0]?.chains[0]
				?.rules[0]?.match.protocol;
		for (const [names, protocol] of [
			[['2', 'igmp'], 'igmp'],
			[['4', 'ipencap', 'ipv4'], '4'],
			[['41', 'ipv6'], '41'],
			[['47', 'gre'], 'gre'],
			[['50', 'esp'], 'esp'],
			[['89', 'ospf', 'ospfigp'], 'ospf'],
			// Another tunnel than that of "ipip".
			[['94', 'ipip'], '94'],
			[['103', 'pim'], '103'],
			[['112', 'vrrp', 'carp'], 'vrrp'],
			[['131', 'pipe'], '131'],
			[['icmpv6', 'ipv6-icmp', '58'], 'ipv6-icmp'],
			[['254'], '254'],
			[['unheard-of'], 'unheard-of'],
		] as const) {
			expect(names.map(protocolOf)).toEqual(names.map(() => protocol));
		}
	});

	it('knows every name in the file of this machine', () => {
		const lines = readFileSync('/etc/protocols', 'utf8').matchAll(/^([^#\s]\S*)\s+(\d+)/gm);
		for (const [, name = '', number = ''] of lines) {
			// "ip" is every protocol, and 262 does not fit into a packet.
			if (name !== 'ip' && Number(number) < 256) {
				expect([name, protocolNumberOf(name)]).toEqual([name, Number(number)]);
			}
		}
	});

	it.each(['--hashlimit-above', 'srcip,dstport', 'connlimit', '--mark 0x1/0xff'])(
		'knows that it cannot judge %s',
		(text) => {
			expect(read(text).match.unknown?.length).toBeGreaterThan(0);
		},
	);

	it.each<[string, readonly string[]]>([
		['-g DOCKER', ['-g', 'DOCKER']],
		['MARK', ['-j', 'MARK', '--set-xmark', '0x7/0xffffffff']],
		['NFQUEUE', ['-j', 'NFQUEUE', '--queue-num', '0']],
		['TRACE', ['-j', 'TRACE']],
		['3/hour', ['-j', 'LOG']],
		['0x1/0xff', []],
	])('keeps the target of %s word for word', (text, words) => {
		expect(read(text).target).toEqual({kind: 'other', words});
	});

	it('takes for a chain only what is one', () => {
		const save =
			'*filter\n:INPUT ACCEPT [0:0]\n:LIMBO - [0:0]\n-A INPUT -j LIMBO\n-A INPUT -j TARPIT\nCOMMIT\n';
		expect(
			findChain(parseSave(save, 4), 'filter', 'INPUT')?.rules.map(({target}) => target),
		).toEqual([
			{kind: 'chain', name: 'LIMBO'},
			{kind: 'other', words: ['-j', 'TARPIT']},
		]);
	});

	it('reads each of 40,000 rules with the same number of calls', () => {
		const names = Array.from({length: 40_000}, (_, index) => `KUBE-SEP-${index}`);
		const save = [
			'*nat',
			':KUBE-SERVICES - [0:0]',
			...names.map((name) => `:${name} - [0:0]`),
			...names.flatMap((name) => [`-A KUBE-SERVICES -j ${name}`, `-A ${name} -j ACCEPT`]),
		];
		let table: Table | undefined;
		const calls = countCalls(() => {
			[table] = parseSave(save.join('\n'), 4).tables;
		});
		expect(calls).toBeLessThan(5 * save.length);
		expect(table?.chains[0]?.rules.map(({target}) => target)).toEqual(
			names.map((name) => ({kind: 'chain', name})),
		);
		expect(table?.chains.slice(1).every(({rules}) => rules.length === 1)).toBe(true);
	});

	it.each<[string, string]>([
		['-s ::ffff:0.0.0.0/96', '::ffff:0:0/96'],
		['-s ::ffff:192.0.2.1', '::ffff:c000:201/128'],
		['-s ::192.0.2.1', '::c000:201/128'],
		['-s ::/96', '::/96'],
		['-s ::0.1.0.2', '::1:2/128'],
		['-s 2001:db8::1:0:0:1', '2001:db8::1:0:0:1/128'],
	])('reads the IPv6 address in %s', (text, source) => {
		expect(read(text, 6)).toEqual({match: {source}, target: {kind: 'DROP'}});
	});

	it('does not judge an IPv6 mask with holes', () => {
		expect(read('ffff:0:ffff::', 6).match).toEqual({unknown: ['-s', '2001::/ffff:0:ffff::']});
	});
});
