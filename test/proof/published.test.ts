import {describe, expect, test} from 'vitest';
import type {Backend} from '../../source/host/netfilter/iptables.ts';
import {BACKENDS} from '../_helpers/lab/backends.ts';
import {wizard, wizardDoes} from '../_helpers/lab/cli.ts';
import {type Lab, useLab} from '../_helpers/lab/namespaces.ts';
import {OUTSIDE, serve} from '../_helpers/lab/pair.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import {otherOf, type Report} from '../_helpers/samples/proofs.ts';
import {type Dock, dockerRules, openDock} from '../system/containers.ts';

const POLICY = ['--role', 'server', '--open', '22/tcp', '--open', '8080/tcp'];
const GOVERNED = [...POLICY, '--published', 'policy'];

type Fault = {
	readonly name: string;
	/** Default: the running rules. */
	readonly proves?: readonly string[];
	readonly commands: (other: Backend) => readonly string[];
	readonly finds: readonly RegExp[];
};

/** Faults of the rules for published ports, some at once: each of a port or family of its own. */
const FAULTS: readonly Fault[] = [
	{
		name: 'a rule of another program first, a rule too many, one too few, and no jump',
		commands: () => [
			'iptables -t mangle -I FORWARD 1 -p udp -j ACCEPT',
			'iptables -t mangle -I FW-WIZARD-FORWARD 1 -p tcp -m conntrack --ctorigdstport 8081 -j ACCEPT',
			'iptables -t mangle -D FW-WIZARD-FORWARD -p tcp -m conntrack --ctstate DNAT --ctorigdstport 8080 --ctdir ORIGINAL -j RETURN',
			'ip6tables -t mangle -D FORWARD -j FW-WIZARD-FORWARD',
		],
		finds: [
			/8053\/udp is forwarded from anywhere over IPv4: -A FORWARD -p udp -j ACCEPT, in mangle/,
			/8081\/tcp is forwarded from anywhere over IPv4: rule 1 of FW-WIZARD-FORWARD: .*--ctorigdstport 8081 -j ACCEPT/,
			/8080\/tcp is closed from anywhere over IPv4: rule \d+ of FW-WIZARD-FORWARD: .*--ctstate DNAT --ctdir ORIGINAL -j DROP/,
			/8081\/tcp is forwarded from anywhere over IPv6: no rule of FORWARD leads to FW-WIZARD-FORWARD/,
			/Failed: IPv6: containers on docker0 are reached by published ports alone: \d+\/(?:tcp|udp) of fd00:d0c::2 is reached/,
		],
	},
	{
		name: 'an inner pattern for an outer interface, no verdict, and a DROP in the other backend',
		commands: (other) => [
			'iptables -t mangle -I FW-WIZARD-FORWARD 2 -i eth+ -j RETURN',
			'ip6tables -t mangle -D FW-WIZARD-FORWARD -m conntrack --ctstate DNAT --ctdir ORIGINAL -j DROP',
			'ip6tables -t mangle -D FW-WIZARD-FORWARD -o docker+ -j DROP',
			`iptables-${other} -A FORWARD -p tcp --dport 80 -j DROP`,
		],
		finds: [
			/8081\/tcp is forwarded from anywhere over IPv4: rule 2 of FW-WIZARD-FORWARD: .*-i eth\+ -j RETURN/,
			/8080\/tcp is closed from anywhere over IPv4: -A FORWARD -p tcp -m tcp --dport 80 -j DROP, in filter, \w+ backend/,
			/8081\/tcp is forwarded from anywhere over IPv6: no rule of FW-WIZARD-FORWARD drops it/,
		],
	},
	{
		name: 'the boot loads another policy',
		proves: ['--of', 'boot', '--role', 'server', '--open', '8081/tcp', '--published', 'policy'],
		commands: () => [],
		finds: [
			/8080\/tcp is forwarded from anywhere over IPv4: rule \d+ of FW-WIZARD-FORWARD: .*--ctorigdstport 8080 .*-j RETURN/,
			/8081\/tcp is closed from anywhere over IPv6: rule \d+ of FW-WIZARD-FORWARD: .*--ctstate DNAT .*-j DROP/,
			/Published and not open to everybody: .*8053\/udp \(to 172\.17\.0\.2:53, \[fd00:d0c::2\]:53\)/,
		],
	},
];

async function openPublished(lab: Lab, backend: Backend): Promise<Dock> {
	const dock = await openDock(lab, backend, 'tcp:80', 'tcp:81', 'udp:53');
	await serve(dock.target, 'tcp:22');
	await dock.target.must('iptables-restore', [], {input: dockerRules(4)});
	await dock.target.must('ip6tables-restore', [], {input: dockerRules(6)});
	return dock;
}

describe.each(BACKENDS.slice(0, rounds(1, 2)))('published ports in a proof (%s)', (backend) => {
	const lab = useLab();

	test('are tried through DNAT, and counted and named', async () => {
		const {target} = await openPublished(lab, backend);
		// On one address of several.
		const only = `-d ${OUTSIDE.target}/32 ! -i docker0 -p tcp -m tcp --dport 8443`;
		await target.must('sh', [
			...['-c', `iptables -t nat -A DOCKER ${only} -j DNAT --to-destination 172.17.0.2:443`],
		]);
		const {status, stdout} = await wizard(target, 'prove', '--json', ...GOVERNED);
		expect(status).toBe(0);
		const {views, checks, probes}: Report = JSON.parse(stdout);
		const [bound, ...others] = views.filter(({vantage}) => vantage.destination !== undefined);
		expect(others).toEqual([]);
		expect(bound?.published).toContainEqual({
			...{protocol: 'tcp', first: 8443, last: 8443, to: '172.17.0.2:443', open: false},
		});
		expect(probes).toBe((views.length - 1) * 2 * 65_535);
		for (const [family, container] of [
			[4, '172.17.0.2'],
			[6, '[fd00:d0c::2]'],
		] as const) {
			const view = views.find(({vantage}) => vantage.family === family);
			expect(view).toMatchObject({
				passed: {tcp: [{first: 22, last: 22}], udp: []},
				forwarded: {tcp: [{first: 8080, last: 8080}], udp: []},
				published: [
					{protocol: 'tcp', first: 8080, last: 8080, to: `${container}:80`, open: true},
					{protocol: 'tcp', first: 8081, last: 8081, to: `${container}:81`, open: false},
					{protocol: 'udp', first: 8053, last: 8053, to: `${container}:53`, open: false},
				],
				differences: [],
			});
			expect(checks).toContainEqual({
				name: `IPv${family}: containers on docker0 are reached by published ports alone`,
				...{result: 'ok', detail: ''},
			});
		}
	}, 60_000);
});

const ON_EACH = BACKENDS.flatMap((backend) => FAULTS.map((fault) => ({backend, ...fault})));

// The usual run has one of them, on the second backend.
describe.each(ON_EACH.slice(rounds(3, 0), rounds(4, ON_EACH.length)))(
	'faults ($backend)',
	(fault) => {
		const lab = useLab();

		test(`are named: ${fault.name}`, async () => {
			const {backend, proves = ['--of', 'running'], commands, finds} = fault;
			const {target} = await openPublished(lab, backend);
			await wizardDoes(target, 'apply', ...GOVERNED, '--yes', '--boot', 'none');
			for (const command of commands(otherOf(backend))) {
				await target.must('sh', ['-c', command]);
			}

			const {status, stdout} = await wizard(target, 'prove', ...proves);
			for (const words of finds) {
				expect(stdout).toMatch(words);
			}

			expect(stdout).not.toMatch(/(rule \d+ of \S+: ).*\1/);
			expect(status).toBe(1);
		}, 60_000);
	},
);
