import {describe, expect, test} from 'vitest';
import {FAMILIES} from '../../source/lib/network.ts';
import {parseOpenings} from '../../source/policy/parse-opening.ts';
import {completePolicy, type Verdict} from '../../source/policy/policy.ts';
import {compareScan} from '../../source/proof/nmap/compare-scan.ts';
import {readNmap} from '../../source/proof/nmap/read-scan.ts';
import {planForPolicy, vantagePointsOf} from '../../source/proof/vantage-points.ts';
import {buildRuleSet} from '../../source/ruleset/build.ts';

const INTERFACES = [
	{name: 'eth0', addresses: ['192.0.2.1/24', '2001:db8:5::1/64']},
	{name: 'wg0', addresses: ['10.9.0.1/24']},
];

/** The output of nmap 7.93 (format 1.05), or with `old` of nmap 7.80 (format 1.04). */
const xml = (
	states: Readonly<Record<string, string>>,
	{old = false, protocol = 'tcp', services = '1-1000'} = {},
) => {
	const listed = (states.open ?? '').split(',').filter(Boolean);
	const extra = Object.entries(states)
		.filter(([state]) => state !== 'open')
		.map(
			([state, ports]) =>
				`<extraports state="${state}" count="7"><extrareasons reason="x" count="7"${old ? '' : ` proto="${protocol}" ports="${ports}"`}/></extraports>`,
		);
	const ports = listed.map(
		(port) => `<port protocol="${protocol}" portid="${port}"><state state="open"/></port>`,
	);
	return `<nmaprun><scaninfo type="syn" protocol="${protocol}" services="${services}"/><host><address addr="192.0.2.1" addrtype="ipv4"/><ports>${extra.join('')}${ports.join('')}</ports></host></nmaprun>`;
};

async function compare(
	openings: string,
	text: string,
	{from = '', verdict = 'drop' as Verdict} = {},
) {
	const policy = completePolicy({
		...{role: 'server', verdict},
		openings: parseOpenings(openings, new Map()),
	});
	const points =
		from === ''
			? (await planForPolicy(policy, INTERFACES, undefined)).vantagePoints
			: await vantagePointsOf(from, policy, INTERFACES);
	const [scan] = readNmap(text);
	if (!scan) {
		throw new Error('no scan');
	}

	return compareScan(
		scan,
		buildRuleSet(policy, {families: FAMILIES}),
		verdict,
		points.filter(({family}) => family === scan.family),
	);
}

describe('ports that nmap leaves out of its list', () => {
	test('contradict the policy where it opens one of them', async () => {
		const {differences, proven} = await compare(
			'22/tcp, 80/tcp',
			xml({open: '80', filtered: '1-79,81-1000'}),
		);
		expect(differences).toEqual(['22/tcp of 192.0.2.1 is filtered: the policy opens it']);
		expect(proven).toBe(false);
	});

	test('contradict it where it opens none of them, but the machine itself answers', async () => {
		const {differences} = await compare(
			'22/tcp',
			xml({open: '22', filtered: '1-21', closed: '23-1000'}),
		);
		expect(differences).toEqual(['23-1000/tcp of 192.0.2.1 is closed: the policy blocks it']);
	});

	test('are what the policy says, and are counted', async () => {
		const found = await compare('22/tcp', xml({open: '22', filtered: '1-21,23-1000'}));
		expect(found).toMatchObject({differences: [], unjudged: [], proven: true, ports: 1000});
	});

	test('count in the words of each verdict', async () => {
		const closed = xml({open: '22', closed: '1-21,23-1000'});
		expect((await compare('22/tcp', closed, {verdict: 'reset'})).proven).toBe(true);
		expect((await compare('22/tcp', closed, {verdict: 'reject'})).proven).toBe(false);
		const udp = xml({open: '53', closed: '1-52'}, {protocol: 'udp'});
		expect((await compare('53/udp', udp, {verdict: 'reject'})).proven).toBe(true);
		expect((await compare('53/udp', udp, {verdict: 'drop'})).proven).toBe(false);
	});

	test('are known from what was scanned where nmap is old', async () => {
		const {differences, ports} = await compare(
			'22/tcp',
			xml({open: '80', filtered: ''}, {old: true}),
		);
		expect(differences).toEqual([
			'80/tcp of 192.0.2.1 is open: the policy blocks it',
			'22/tcp of 192.0.2.1 is filtered: the policy opens it',
		]);
		expect(ports).toBe(1000);
	});

	test('are not judged where an old nmap gives them two states', async () => {
		const text = xml({open: '22', filtered: '', closed: ''}, {old: true, services: '20-25'});
		expect(await compare('22/tcp', text)).toMatchObject({
			differences: [],
			unjudged: [
				'20-21, 23-25/tcp of 192.0.2.1 is filtered or closed: the scan does not say which; scan TCP and UDP one at a time',
			],
			dependsOnSource: false,
			proven: false,
		});
	});

	test('are not judged where the scan does not say which were scanned', async () => {
		const text = xml({open: '22', filtered: ''}, {old: true, services: ''});
		expect(await compare('22/tcp', text)).toMatchObject({
			unjudged: ['the scan counts 7 more ports of 192.0.2.1, but does not name them'],
			proven: false,
			ports: 1,
		});
	});
});

describe('where a scan was made', () => {
	const OPENINGS = '22/tcp, 443/tcp from 10.1.0.0/16, 53 on wg0';
	const inside = xml({open: '22,443', filtered: '1-21,23-442,444-1000'});
	const stranger = xml({open: '22', filtered: '1-21,23-1000'});
	const depends = (ports: string, state: string) =>
		`${ports}/tcp of 192.0.2.1 is ${state}: whether the policy allows it depends on where the scan was made`;

	test('is no reason for a false alarm where it is not known, nor for trust', async () => {
		expect(await compare(OPENINGS, inside)).toMatchObject({
			differences: [],
			unjudged: [depends('443', 'open'), depends('53', 'filtered')],
			dependsOnSource: true,
			proven: false,
		});
	});

	test('matters little where all is closed to strangers', async () => {
		expect(await compare(OPENINGS, stranger)).toMatchObject({
			differences: [],
			unjudged: [depends('53, 443', 'filtered')],
			proven: true,
		});
	});

	test('never matters where a state fits nobody', async () => {
		expect((await compare(OPENINGS, xml({open: '22,80'}))).differences).toEqual([
			'80/tcp of 192.0.2.1 is open: the policy blocks it',
		]);
		expect((await compare(OPENINGS, xml({filtered: '22'}))).differences).toHaveLength(1);
	});

	test('decides where it is known', async () => {
		expect((await compare(OPENINGS, stranger, {from: '198.51.100.9'})).proven).toBe(true);
		expect(await compare(OPENINGS, inside, {from: '198.51.100.9'})).toMatchObject({
			differences: ['443/tcp of 192.0.2.1 is open: the policy blocks it'],
			unjudged: [depends('53', 'filtered')],
		});
		const from = {from: '10.1.2.3'};
		expect(await compare('22/tcp, 443/tcp from 10.1.0.0/16', inside, from)).toMatchObject({
			differences: [],
			unjudged: [],
			proven: true,
		});
		expect((await compare('22/tcp, 443/tcp from 10.1.0.0/16', stranger, from)).differences).toEqual(
			['443/tcp of 192.0.2.1 is filtered: the policy opens it'],
		);
	});

	test('decides about interfaces where the address is in the network of one', async () => {
		expect(await vantagePointsOf('10.9.0.7', completePolicy({role: 'server'}), INTERFACES)).toEqual(
			[{family: 4, inInterface: 'wg0', source: '10.9.0.7', kind: 'client', name: '10.9.0.7'}],
		);
		expect((await compare(OPENINGS, stranger, {from: '10.9.0.7'})).differences).toEqual([
			'53/tcp of 192.0.2.1 is filtered: the policy opens it',
		]);
		expect(await compare(OPENINGS, stranger, {from: '192.0.2.9'})).toMatchObject({
			differences: [],
			unjudged: [],
			proven: true,
		});
	});
});

test('a family that the rules do not filter is no proof', () => {
	const policy = completePolicy({role: 'server'});
	const [scan] = readNmap(
		'<nmaprun><host><address addr="2001:db8::1" addrtype="ipv6"/><ports><port protocol="tcp" portid="22"><state state="filtered"/></port></ports></host></nmaprun>',
	);
	const found = scan && compareScan(scan, buildRuleSet(policy, {families: [4]}), 'drop', []);
	expect(found).toMatchObject({
		differences: ['IPv6 is not filtered, but 2001:db8::1 was scanned'],
		proven: false,
	});
});
