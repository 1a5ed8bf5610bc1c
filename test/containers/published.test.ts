import {beforeAll, describe, expect, test} from 'vitest';
import {PROGRAM, useDebians} from '../_helpers/lab/debian.ts';
import {useLab} from '../_helpers/lab/namespaces.ts';
import {rounds} from '../_helpers/lab/rounds.ts';
import {BEDS, filtered, OPENINGS, unfiltered} from './containers.ts';
import {insideTraffic, inspect} from './inside-traffic.ts';
import {type ContainerHost, openBed} from './open-bed.ts';
import {exposureOf, type Matrix, type Port, readMatrix, scanPorts} from './published.ts';

const POLICY = [
	...['--role', 'server', '--published', 'policy'],
	...OPENINGS.flatMap((opening) => ['--open', opening]),
];

describe.each(BEDS.slice(0, rounds(1, BEDS.length)))(
	'published ports: $program of $suite, $backend, $daemon',
	(bed) => {
		const debians = useDebians(useLab());
		const ports = Object.keys(unfiltered(bed)) as readonly Port[];
		let host: ContainerHost;
		let inside: Readonly<Record<string, readonly string[]>>;
		/** What was reached at the containers' own addresses before there was a firewall. */
		let direct: readonly string[];

		beforeAll(async () => {
			host = await openBed(debians, bed);
			await host.host.must(bed.program, ['network', 'connect', 'fww6', 'both']);
			await host.compose('up');
			await addRoutes();
			inside = await insideTraffic(host, bed.program);
			direct = await reachedDirectly();
		}, 600_000);

		/** By which the client sends to the containers' own addresses. */
		const addRoutes = async () => {
			const [ipv4, ipv6] = host.addresses;
			await host.client.ip([
				...['172.16.0.0/12', '10.0.0.0/8'].map((network) => `route add ${network} via ${ipv4}`),
				`route add fd00::/8 via ${ipv6}`,
			]);
		};
		const reboot = async () => {
			await host.reboot();
			await addRoutes();
			await host.serves();
		};

		/** The containers' own addresses that take a connection from outside. */
		const reachedDirectly = async () => {
			const {addresses} = await inspect(host.host, bed.program, 'many');
			const others = await inspect(host.host, bed.program, 'six');
			const tries = [...addresses, ...others.addresses].map(async (address) => {
				const {status} = await host.client.run('nc.openbsd', ['-z', '-w', '2', address, '80']);
				return status === 0 ? [address] : [];
			});
			return (await Promise.all(tries)).flat();
		};

		/** nmap and exposure agree on every port and family, and so does what the policy says. */
		const agree = async (expected: Matrix) => {
			const found = await scanPorts(host, ports);
			expect(found).toEqual(expected);
			const exposure = await exposureOf(host);
			expect(exposure).toMatchObject({tried: true, unread: []});
			expect(readMatrix(exposure, 'before', host.clients, ports)).toEqual(found);
		};
		const isRight = async () => {
			await agree(filtered(bed));
			expect(await reachedDirectly()).toEqual([]);
			expect(await insideTraffic(host, bed.program)).toEqual(inside);
		};

		test('are as exposure says, before and after', async () => {
			await agree(unfiltered(bed));
			const planned = await exposureOf(host, ...POLICY);
			expect(planned).toMatchObject({tried: true, unread: []});
			expect(readMatrix(planned, 'before', host.clients, ports)).toEqual(unfiltered(bed));
			expect(readMatrix(planned, 'after', host.clients, ports)).toEqual(filtered(bed));
			expect(direct).not.toEqual([]);
			await host.host.must('node', [PROGRAM, 'apply', ...POLICY, '--yes']);
			await isRight();
			// Fails, and says why, where a packet does other than the policy says.
			await host.host.must('node', [PROGRAM, 'prove', '--of', 'running'], {timeout: 180_000});
		}, 480_000);

		// In the usual run, a boot has both in it: daemon and networks begin anew.
		if (rounds(0, 1) === 1) {
			test('stay so when the daemon or the containers are started anew', async () => {
				if (bed.program === 'docker') {
					await host.host.must('systemctl', ['restart', 'docker']);
				} else {
					await host.host.must('podman', ['restart', '--all', '--time', '1']);
				}

				await host.serves();
				await isRight();
			}, 240_000);

			test('stay so when a network is made anew', async () => {
				await host.compose('down');
				await host.compose('up');
				await isRight();
			}, 240_000);
		}

		test('stay so after a boot, with the rules ahead of the daemon, or behind it', async () => {
			await reboot();
			await isRight();
			await host.host.must('systemctl', ['-q', 'disable', 'fw-wizard.service']);
			await reboot();
			await host.host.must('systemctl', ['enable', '--now', 'fw-wizard.service']);
			await isRight();
		}, 480_000);
	},
);
