import path from 'node:path';
import process from 'node:process';
import fc from 'fast-check';
import {beforeAll, describe, expect, test} from 'vitest';
import type {Exposure} from '../../source/exposure/model.ts';
import {FAMILIES, type Family, parseNetwork} from '../../source/lib/network.ts';
import type {PortRange} from '../../source/lib/port-ranges.ts';
import type {Opening} from '../../source/policy/opening.ts';
import {completePolicy, policyFlags, VERDICTS} from '../../source/policy/policy.ts';
import type {PacketAnswer} from '../../source/ruleset/explain.ts';
import {mainly} from '../_helpers/lab/backends.ts';
import {CLI} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {serve} from '../_helpers/lab/pair.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import type {Report} from '../_helpers/samples/proofs.ts';
import {
	type KeptRules,
	keptRules,
	NETWORKS,
	PORTS,
	SETS,
} from '../_helpers/samples/random-rules.ts';
import {scan} from '../_helpers/traffic/scan.ts';

const OUTCOMES = path.resolve(import.meta.dirname, '../_helpers/traffic/outcomes.js');
const TARGET: Readonly<Record<Family, string>> = {4: '198.51.100.1', 6: '2001:db8::1'};
/** The last one is in no network that rules name. */
const SOURCES: Readonly<Record<Family, readonly string[]>> = {
	4: ['198.51.100.2', '203.0.113.60', '192.0.2.7', '203.0.113.200'],
	6: ['2001:db8::2', '2001:db8:66::6', '2001:db8:77::7'],
};

type WhyAnswer = Pick<PacketAnswer, 'fate'> & {readonly rule?: unknown};

type Sent = {
	readonly family: Family;
	readonly protocol: 'tcp' | 'udp';
	readonly port: number;
	readonly source: string;
	readonly target: string;
};

const openings: fc.Arbitrary<Opening> = fc
	.record({
		protocol: fc.constantFrom('tcp', 'udp', 'both'),
		port: fc.constantFrom(...PORTS),
		networks: fc.uniqueArray(fc.constantFrom(...NETWORKS[4], ...NETWORKS[6])),
	})
	.map(
		({protocol, port, networks}): Opening => ({
			...{kind: 'port', protocol, first: port, last: port, limit: false},
			...(networks.length === 0 ? {} : {from: networks.map(parseNetwork)}),
		}),
	);
const policies = fc
	.record({
		role: fc.constantFrom('server', 'workstation'),
		verdict: fc.constantFrom(...VERDICTS),
		openings: fc.array(openings, {maxLength: 4}),
	})
	.map((part) => completePolicy(part));
const packets: fc.Arbitrary<Sent> = fc.constantFrom(...FAMILIES).chain((family) =>
	fc.record({
		family: fc.constant(family),
		protocol: fc.constantFrom('tcp', 'udp'),
		port: fc.constantFrom(...PORTS),
		source: fc.constantFrom(...SOURCES[family]),
		target: fc.constant(TARGET[family]),
	}),
);
const CASES = fc.record({
	policy: policies,
	kept: keptRules,
	packets: fc.uniqueArray(packets, {minLength: 6, maxLength: 6, selector: JSON.stringify}),
});

describe.each(mainly('nft'))(
	'what is said beforehand is what packets meet after apply (%s)',
	(backend) => {
		const lab = useLab();
		const other = backend === 'nft' ? 'legacy' : 'nft';
		let target: Host;
		let probe: Host;

		beforeAll(async () => {
			[target, probe] = [await lab.host({backend}), await lab.host()];
			const container = await lab.host();
			const end = (host: Host, addresses: Readonly<Record<Family, string>>) => ({
				...{host, device: 'eth0'},
				addresses: [`${addresses[4]}/24`, `${addresses[6]}/64`],
			});
			await lab.join(end(target, TARGET), end(probe, {4: '198.51.100.2', 6: '2001:db8::2'}));
			await lab.join(
				{host: target, device: 'docker0', addresses: ['172.17.0.1/16', 'fd00:d0c::1/64']},
				{host: container, device: 'eth0', addresses: ['172.17.0.2/16', 'fd00:d0c::2/64']},
			);
			const more = FAMILIES.flatMap((family) => SOURCES[family].slice(1));
			await probe.ip(
				more.map(
					(source) => `address add ${source} dev eth0${source.includes(':') ? ' nodad' : ''}`,
				),
			);
			await target.ip(['route add default via 198.51.100.2', 'route add default via 2001:db8::2']);
			await container.ip(['route add default via 172.17.0.1', 'route add default via fd00:d0c::1']);
			await target.sysctl({
				...{'net.ipv4.ip_forward': 1, 'net.ipv6.conf.all.forwarding': 1},
				...{'net.ipv4.icmp_ratelimit': 0, 'net.ipv6.icmp.ratelimit': 0},
			});
			await target.must('ipset', ['restore'], {
				input: [
					...FAMILIES.map(
						(family) =>
							`create ${SETS[family]} hash:net ${family === 4 ? '' : 'family inet6 '}timeout 9999`,
					),
					`add ${SETS[4]} 192.0.2.0/25`,
					`add ${SETS[6]} 2001:db8:66::/64\n`,
				].join('\n'),
			});
			const services = PORTS.flatMap((port) => [`tcp:${port}`, `udp:${port}`]);
			await serve(target, ...services);
			await serve(container, ...services);
		}, 240_000);

		test('beside random rules that stay', async () => {
			await fc.assert(
				fc.asyncProperty(CASES, async ({policy, kept, packets: chosen}) => {
					const flags = policyFlags(policy);
					await load(kept);
					const tried = chosen.flatMap(({protocol, port, source}) => [
						'--packet',
						`${protocol} ${port} from ${source}`,
					]);
					const answers: readonly PacketAnswer[] = JSON.parse(
						await run('exposure', '--json', ...flags, ...tried),
					).after;
					const exposure: Exposure = JSON.parse(await run('exposure', '--json', ...flags));
					const proof = await prove(flags);
					await run('apply', '--yes', '--boot', 'none', '--published', 'leave', ...flags);
					const told: readonly WhyAnswer[] = (
						await Promise.all(
							chosen.map(async ({source, port, protocol}) =>
								JSON.parse(await run('why', '--json', source, `${port}/${protocol}`)),
							),
						)
					).flatMap(({answers}) => answers);
					await target.must('conntrack', ['-F']);
					const strangers = FAMILIES.flatMap((family) =>
						(['tcp', 'udp'] as const).flatMap((protocol) =>
							PORTS.map((port): Sent => {
								const source = SOURCES[family].at(-1) ?? '';
								return {family, protocol, port, source, target: TARGET[family]};
							}),
						),
					);
					const seen = await send([...chosen, ...strangers]);
					expect(answers).toHaveLength(chosen.length);
					for (const [index, answer] of answers.entries()) {
						expect([nameOf(chosen[index]), seen[index]], answer.rules.join('\n')).toEqual([
							nameOf(chosen[index]),
							OUTCOME_OF[answer.fate],
						]);
					}

					expect(told.map(({fate}) => OUTCOME_OF[fate])).toEqual(seen.slice(0, chosen.length));
					expect(told.filter(({rule}) => rule === undefined)).toEqual([]);

					const open = strangers.filter((_, index) => seen[chosen.length + index] === 'open');
					expect(strangers.filter((one) => isExposed(exposure, one)).map(nameOf)).toEqual(
						open.map(nameOf),
					);
					expect(strangers.filter((one) => passes(proof, one)).map(nameOf)).toEqual(
						open.map(nameOf),
					);
					expect(await scanAll()).toEqual(open.map(nameOf).sort());
					await run('undo', '--all', '--yes');
				}),
				{numRuns: rounds(1, 100)},
			);
		}, 3_600_000);

		async function run(...args: readonly string[]): Promise<string> {
			return target.must(process.execPath, [CLI, ...args], {timeout: 200_000});
		}

		/** What the proof of planned rules says. */
		async function prove(flags: readonly string[]): Promise<Report> {
			const {stdout} = await target.run(process.execPath, [CLI, 'prove', '--json', ...flags], {
				timeout: 200_000,
			});
			return JSON.parse(stdout);
		}

		/** What nmap finds open to a stranger. */
		async function scanAll(): Promise<readonly string[]> {
			const found: string[] = [];
			for (const family of FAMILIES) {
				const source = SOURCES[family].at(-1) ?? '';
				const from = ['-S', source, '-e', 'eth0', '-p', PORTS.join(',')];
				for (const [protocol, kind] of [
					['tcp', '-sS'],
					['udp', '-sU'],
				] as const) {
					const {ports} = await scan(probe, TARGET[family], [kind, ...from], protocol);
					found.push(
						...(ports.open ?? []).map((port) =>
							nameOf({family, protocol, port, source, target: TARGET[family]}),
						),
					);
				}
			}

			return found.sort();
		}

		/** Loads other programs' rules, and nothing else. */
		async function load({inUse, other: others, native}: KeptRules): Promise<void> {
			await target.must('nft', ['flush', 'ruleset']);
			for (const family of FAMILIES) {
				const program = family === 4 ? 'iptables' : 'ip6tables';
				const empty = ['raw', 'mangle', 'nat', 'filter'].map((name) => `*${name}\nCOMMIT\n`);
				await target.must(`${program}-legacy-restore`, [], {input: empty.join('')});
				await target.must(`${program}-restore`, [], {input: inUse[family]});
				if (others[family] !== '') {
					await target.must(`${program}-${other}-restore`, [], {input: others[family]});
				}
			}

			if (native !== '') {
				await target.must('nft', ['-f', '-'], {input: native});
			}
		}

		/** How each packet went. A busy machine has a second try. */
		async function send(sent: readonly Sent[]): Promise<readonly string[]> {
			const once = async (some: readonly Sent[], patience: number): Promise<readonly string[]> =>
				JSON.parse(
					await probe.must(process.execPath, [OUTCOMES, `${patience}`], {
						input: JSON.stringify(some),
					}),
				);
			const first = await once(sent, 1500);
			const silent = sent.filter((_, index) => first[index] === 'silent');
			const again = [...(await once(silent, 3000))];
			return first.map((outcome) => (outcome === 'silent' ? (again.shift() ?? '') : outcome));
		}
	},
);

/** What a client sees. */
const OUTCOME_OF: Readonly<Record<PacketAnswer['fate'], string>> = {
	...{accepted: 'open', forwarded: 'open', rejected: 'refused', dropped: 'silent'},
	unknown: 'unknown',
};

function nameOf(sent: Sent | undefined): string {
	return `${sent?.port}/${sent?.protocol} from ${sent?.source}`;
}

/** Whether the proof says that packets of strangers get to a port: as the policy has it, or not. */
function passes({views}: Report, {family, protocol, port}: Sent): boolean {
	const view = views.find(
		({vantage}) => vantage.family === family && vantage.name.startsWith('anywhere'),
	);
	const isIn = ({first, last}: PortRange) => first <= port && port <= last;
	const told = view?.differences.find(
		(one) => one.protocol === protocol && one.ports.some((range) => isIn(range)),
	);
	return told ? told.fact !== 'is closed' : (view?.expected[protocol].some(isIn) ?? false);
}

/** Whether the exposure says that strangers can reach a port. */
function isExposed({rows}: Exposure, {family, protocol, port}: Sent): boolean {
	return rows.some(
		(row) =>
			row.protocol === protocol &&
			row.families.includes(family) &&
			row.from.startsWith('anywhere') &&
			row.after === 'open' &&
			row.ports.some(({first, last}) => first <= port && port <= last),
	);
}
