import fc from 'fast-check';
import {describe, expect, test, vi} from 'vitest';
import type {Exposure} from '../../source/exposure/model.ts';
import type {Backend} from '../../source/host/netfilter/iptables.ts';
import {contains, FAMILIES, type Family} from '../../source/lib/network.ts';
import {hasPort} from '../../source/lib/port-ranges.ts';
import {parseOpening} from '../../source/policy/parse-opening.ts';
import {completePolicy} from '../../source/policy/policy.ts';
import {buildRuleSet} from '../../source/ruleset/build.ts';
import {printRestore} from '../../source/ruleset/format-iptables.ts';
import {BACKENDS} from '../_helpers/lab/backends.ts';
import {wizardDoes} from '../_helpers/lab/cli.ts';
import {type Lab, useLab} from '../_helpers/lab/namespaces.ts';
import {ask, INSIDE, IPV6, OUTSIDE, serve} from '../_helpers/lab/pair.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import {proofOf, type Report} from '../_helpers/samples/proofs.ts';
import {CONTAINER, type Dock, openDock} from './containers.ts';

const PORTS = [8001, 8002, 8003] as const;
const PROTOCOLS = ['tcp', 'udp'] as const;
type Protocol = (typeof PROTOCOLS)[number];
/** On a second wire between the two. */
const OTHER = {target: '203.0.113.1', probe: '203.0.113.2'} as const;
/** From where somebody sends, and on which interface that comes in. */
const SENDERS = [
	{family: 4, target: OUTSIDE.target, source: OUTSIDE.probe, on: 'eth0'},
	{family: 4, target: INSIDE.target, source: INSIDE.probe, on: 'eth0'},
	{family: 4, target: OTHER.target, source: OTHER.probe, on: 'eth1'},
	{family: 6, target: IPV6.target, source: IPV6.probe, on: 'eth0'},
] as const;
/** A port of the container that Docker's user has closed. */
const CLOSED = 82;

/**
 * What openings are limited to, by source or by interface: a proof does not send from each source on each interface.
 * The usual run has no limits: from each network and interface a proof sends to every port.
 */
const SCOPES = [
	[''],
	['', ' from 10.0.0.0/8', ' from 2001:db8::/32'],
	['', ' on eth0', ' on eth1'],
] as const;

/** A DNAT rule, if any, and what the policy says of the port, if anything. */
type Case = {
	readonly port: number;
	readonly protocol: Protocol;
	readonly published: {readonly to: number; readonly only: string} | undefined;
	readonly opening: string | undefined;
};

const published = fc.oneof(
	fc.record({
		to: fc.constantFrom(80, 81),
		only: fc.constantFrom('', '', '-i eth0 ', '-i eth1 ', '-s 10.0.0.0/8 '),
	}),
	fc.constant({to: CLOSED, only: ''}),
);

const cases = fc.constantFrom(...SCOPES.slice(0, rounds(1, SCOPES.length))).chain((scopes) =>
	fc.tuple(
		...PORTS.flatMap((port) =>
			PROTOCOLS.map((protocol) =>
				fc.record<Case>({
					port: fc.constant(port),
					protocol: fc.constant(protocol),
					published: fc.option(published, {nil: undefined, freq: 4}),
					opening: fc.option(fc.constantFrom(...scopes), {nil: undefined, freq: 2}),
				}),
			),
		),
	),
);

/** As Docker publishes them, for iptables-restore(8). */
function natOf(all: readonly Case[], family: Family): string {
	const container = family === 4 ? CONTAINER[4] : `[${CONTAINER[6]}]`;
	const rules = all.flatMap(({port, protocol, published}) =>
		published === undefined || (family === 6 && published.only.includes('-s'))
			? []
			: [
					`-A DOCKER ${published.only}-p ${protocol} -m ${protocol} --dport ${port} -j DNAT --to-destination ${container}:${published.to}`,
				],
	);
	return [
		...['*nat', ':PREROUTING ACCEPT [0:0]', ':DOCKER - [0:0]'],
		...['-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER', ...rules, 'COMMIT'],
		...['*filter', ':FORWARD ACCEPT [0:0]', ':DOCKER-USER - [0:0]', '-A FORWARD -j DOCKER-USER'],
		...PROTOCOLS.map((name) => `-A DOCKER-USER -p ${name} -m ${name} --dport ${CLOSED} -j DROP`),
		...['COMMIT', '*mangle', ':FORWARD ACCEPT [0:0]', 'COMMIT', ''],
	].join('\n');
}

async function openWorld(lab: Lab, backend: Backend): Promise<Dock> {
	const services = PROTOCOLS.flatMap((name) => [80, 81, CLOSED].map((port) => `${name}:${port}`));
	const dock = await openDock(lab, backend, ...services);
	const {target, probe} = dock;
	await lab.join(
		{host: target, device: 'eth1', addresses: [`${OTHER.target}/24`]},
		{host: probe, device: 'eth1', addresses: [`${OTHER.probe}/24`]},
	);
	// What is not published is answered by the machine itself: then an answer says that the port is open.
	await serve(target, ...PROTOCOLS.flatMap((name) => PORTS.map((port) => `${name}:${port}`)));
	await probe.ip([
		`route add 172.17.0.0/16 via ${OUTSIDE.target}`,
		`route add fd00:d0c::/64 via ${IPV6.target}`,
	]);
	// The first packets over IPv6 may find no way yet.
	for (const address of [IPV6.target, CONTAINER[6], CONTAINER[4]]) {
		const port = address === IPV6.target ? (PORTS[0] ?? 0) : 80;
		await vi.waitFor(
			async () => expect(await ask(probe, 'tcp', address, port)).toContain('hello'),
			{
				timeout: 20_000,
			},
		);
	}

	return dock;
}

type Sent = (typeof SENDERS)[number] & Pick<Case, 'port' | 'protocol'>;

/** Whether a port is open to a sender, by the row that says most of it. */
function byExposure({rows}: Exposure, {family, source, on, port, protocol}: Sent): string {
	const mine = rows.filter(
		(row) => row.protocol === protocol && row.families.includes(family) && hasPort(row.ports, port),
	);
	const row =
		mine.find(({from}) => from.includes('/') && contains(from, source)) ??
		mine.find(({from}) => from === `anywhere on ${on}`) ??
		mine.find(({from}) => from === 'anywhere');
	return row?.after === 'open' ? 'open' : 'shut';
}

function byProof({views}: Report, {family, source, on, port, protocol}: Sent): string {
	const mine = views.filter(({vantage}) => vantage.family === family);
	const view =
		mine.find(({vantage: {name}}) => name.startsWith('in ') && contains(name.slice(3), source)) ??
		mine.find(({vantage}) => vantage.inInterface === on && /^anywhere/.test(vantage.name)) ??
		mine.find(({vantage}) => vantage.name === 'anywhere');
	const open = view && [...view.passed[protocol], ...view.forwarded[protocol]];
	return hasPort(open ?? [], port) ? 'open' : 'shut';
}

describe.each(BACKENDS.slice(0, rounds(1, 2)))('any published ports (%s)', (backend) => {
	const lab = useLab();

	test('are open as exposure and proof say, by packets from outside', async () => {
		const {target, probe} = await openWorld(lab, backend);
		await fc.assert(
			fc.asyncProperty(cases, async (all) => {
				await target.must('iptables-restore', [], {input: natOf(all, 4)});
				await target.must('ip6tables-restore', [], {input: natOf(all, 6)});
				const openings = all.flatMap(({port, protocol, opening}) =>
					opening === undefined ? [] : [`${port}/${protocol}${opening}`],
				);
				const policy = completePolicy({
					...{role: 'server', published: 'policy'},
					openings: ['22/tcp', ...openings].flatMap((text) => parseOpening(text, new Map())),
				});
				for (const rules of buildRuleSet(policy, {families: FAMILIES}).families) {
					const program = rules.family === 4 ? 'iptables-restore' : 'ip6tables-restore';
					await target.must(program, ['--noflush'], {input: printRestore(rules)});
				}

				const flags = ['--role', 'server', '--published', 'policy', '--open', '22/tcp'];
				flags.push(...openings.flatMap((text) => ['--open', text]));
				const sent = all.flatMap(({port, protocol}) =>
					SENDERS.map((sender): Sent => ({...sender, port, protocol})),
				);
				const [answers, exposure, proof] = await Promise.all([
					Promise.all(
						sent.map(async ({protocol, target: to, port}) => ask(probe, protocol, to, port)),
					),
					wizardDoes(target, 'exposure', '--json', ...flags).then(
						(text) => JSON.parse(text) as Exposure,
					),
					proofOf(target, policy, '--of', 'running'),
				]);
				const seen = (judge: (one: Sent, index: number) => string) =>
					sent.map((one, index) => {
						const {port, protocol, source} = one;
						return `${port}/${protocol} from ${source}: ${judge(one, index)}`;
					});
				const real = seen((_, index) => (answers[index]?.includes('hello') ? 'open' : 'shut'));
				expect(seen((one) => byExposure(exposure, one))).toEqual(real);
				expect(seen((one) => byProof(proof, one))).toEqual(real);

				expect(await ask(probe, 'tcp', CONTAINER[4], 80)).toBe('');
				expect(await ask(probe, 'tcp', CONTAINER[6], 80)).toBe('');
				expect(
					proof.checks.filter(({result, name}) => / alone$/.test(name) && result !== 'ok'),
				).toEqual([]);
			}),
			{numRuns: rounds(1, 6), endOnFailure: true},
		);
	}, 900_000);
});
