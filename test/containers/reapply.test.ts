import {beforeAll, describe, expect, test} from 'vitest';
import {PROGRAM, useDebians} from '../_helpers/lab/debian.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import {type Count, FORWARD, PORTS, sendTraffic} from '../_helpers/traffic/traffic.ts';
import {IP6TABLES} from './containers.ts';
import {type ContainerHost, openBed} from './open-bed.ts';

const TIMES = rounds(3, 20);
/** Containers run on while the daemon is started anew. */
const DAEMON = {...IP6TABLES, 'live-restore': true};
const BEDS = (
	[
		{suite: 'bookworm', program: 'docker', backend: 'nft', daemon: DAEMON},
		{suite: 'trixie', program: 'docker', backend: 'nft', daemon: DAEMON},
		{suite: 'trixie', program: 'podman', backend: 'nft'},
		{suite: 'trixie', program: 'docker', backend: 'legacy', daemon: {'live-restore': true}},
	] as const
).slice(0, rounds(1, 4));

/** Published over both families, as each of the ports that the probes are sent to. */
const CONTAINER = {
	name: 'probed',
	options: [
		'--network',
		'fww6',
		...[PORTS.open, PORTS.shut].flatMap((port) => ['-p', `${port}:80`, '-p', `${port}:53/udp`]),
		...['-p', `${PORTS.lasting}:81`],
	],
	services: ['tcp:80', 'tcp:81', 'udp:53'],
};

const POLICIES = [
	['--verdict', 'drop', '--open', '9000-9010', '--helper', 'ftp'],
	['--verdict', 'reset', '--open', '22/tcp limit', '--log', '--no-helper'],
] as const;

describe.each(BEDS)('while rules are applied anew, $program of $suite, $backend', (bed) => {
	const debians = useDebians(useLab());
	const family = bed.backend === 'legacy' ? ' IPv4' : '';
	let bedHost: ContainerHost;

	beforeAll(async () => {
		bedHost = await openBed(debians, bed, [CONTAINER]);
	}, 600_000);

	const apply = async (...flags: readonly string[]) => {
		const policy = ['--role', 'server', '--published', 'policy', '--open', `${PORTS.open}`];
		await bedHost.host.must('node', [PROGRAM, 'apply', ...policy, ...flags, '--yes']);
	};
	/** Applies again and again while probes are sent. */
	const underTraffic = async (between: (round: number) => Promise<void>) => {
		// The port of the stream that lasts is open only before it begins.
		await apply('--open', `${PORTS.lasting}/tcp`);
		const {host, client, addresses} = bedHost;
		const traffic = await sendTraffic(host, client, addresses, FORWARD);
		for (let round = 0; round < TIMES; round++) {
			await apply(...(POLICIES[round % POLICIES.length] ?? []));
			await between(round);
		}

		const {seconds, counts} = await traffic.stop();
		const forwarded = counts.filter(({name}) => !name.startsWith('ping') && name.endsWith(family));
		expect(forwarded.length).toBe(family === '' ? 10 : 5);
		for (const count of forwarded) {
			// On a busy machine it is not one each millisecond, and beside other tests fewer still.
			expect(count.arrived, tell(count)).toBeGreaterThan(rounds(100, 500) * seconds);
		}

		return forwarded;
	};
	const tell = ({name, sent, arrived, passed, answered}: Count) =>
		`${name}: ${sent} sent, ${arrived} met the rules, ${passed} passed, ${answered} answered`;

	test(`nothing leaks and nothing is lost, ${TIMES} times`, async () => {
		for (const count of await underTraffic(async () => {})) {
			const {name, sent, arrived, passed, answered} = count;
			if (name.includes(' shut ')) {
				expect({passed, answered}, tell(count)).toEqual({passed: 0, answered: 0});
			} else {
				expect(passed, tell(count)).toBe(arrived);
				// A busy service may lose datagrams that have passed.
				expect(name.startsWith('udp') || answered === sent, tell(count)).toBe(true);
			}
		}
	}, 300_000);

	test(`nor when the daemon is started anew in the middle, twice`, async () => {
		const restarts = [Math.floor(TIMES / 3), Math.floor((2 * TIMES) / 3)];
		const counts = await underTraffic(async (round) => {
			if (restarts.includes(round)) {
				const words = {
					docker: ['systemctl', 'restart', 'docker'],
					podman: ['podman', 'network', 'reload', '--all'],
				}[bed.program];
				await bedHost.host.must('env', words);
			}
		});
		for (const count of counts) {
			const {name, sent, arrived, passed, answered} = count;
			if (name.includes(' shut ')) {
				expect({passed, answered}, tell(count)).toEqual({passed: 0, answered: 0});
			} else {
				expect(passed, tell(count)).toBe(arrived);
			}

			// What the daemon's own rules lose while it makes them is not ours; a stream outlives it.
			if (name.startsWith('session')) {
				expect(answered, tell(count)).toBe(sent);
			}
		}
	}, 300_000);
});
