import {beforeAll, describe, expect, test} from 'vitest';
import {mainly} from '../_helpers/lab/backends.ts';
import {wizardDoes} from '../_helpers/lab/cli.ts';
import {type Host, useLab} from '../_helpers/lab/namespaces.ts';
import {ask, connect, INSIDE, IPV6, joinedPair, OUTSIDE, serve} from '../_helpers/lab/pair.ts';
import {scan} from '../_helpers/traffic/scan.ts';

describe.each(mainly('legacy'))('what a client sees, %s', (backend) => {
	const lab = useLab();
	let target: Host;
	let probe: Host;

	beforeAll(async () => {
		({target, probe} = await joinedPair(lab, backend));
		await serve(target, 'tcp:22', 'tcp:53', 'tcp:8000', 'udp:8000');
		await serve(probe, 'tcp:7000');
	});

	test.each([
		{verdict: 'reject', client: 'refused', tcp: 'filtered', udp: 'closed'},
		{verdict: 'reset', client: 'refused', tcp: 'closed', udp: 'closed'},
		{verdict: 'drop', client: 'timed out', tcp: 'filtered', udp: 'open|filtered'},
	])('of the verdict $verdict', async ({verdict, client, tcp, udp}) => {
		await wizardDoes(target, 'apply', '--role', 'server', '--verdict', verdict);
		for (const pair of [INSIDE, IPV6]) {
			expect(await connect(probe, pair.target, 22)).toBe('succeeded');
			expect(await connect(probe, pair.target, 8000)).toBe(client);
			expect((await scan(probe, pair.target, ['-sS', '-p', '22,8000'], 'tcp')).ports).toEqual({
				open: [22],
				[tcp]: [8000],
			});
			expect((await scan(probe, pair.target, ['-sU', '-p', '8000'], 'udp')).ports).toEqual({
				[udp]: [8000],
			});
			expect(await ask(target, 'tcp', pair.probe, 7000)).toBe('hello');
		}
	});

	test('of a limited opening: six new connections a minute from one source', async () => {
		await wizardDoes(target, 'apply', '--role', 'server', '--open', '22/tcp limit,53/tcp');
		for (const pair of [INSIDE, IPV6]) {
			for (let count = 1; count <= 6; count++) {
				expect(await connect(probe, pair.target, 22)).toBe('succeeded');
			}

			expect(await connect(probe, pair.target, 22)).toBe('refused');
			expect(await connect(probe, pair.target, 53)).toBe('succeeded');
		}

		expect(await connect(probe, OUTSIDE.target, 22)).toBe('succeeded');
	});

	test('of limited openings that overlap: as many as each of them allows', async () => {
		const openings = '20-22/tcp limit,22-53/tcp limit';
		await wizardDoes(target, 'apply', '--role', 'server', '--open', openings);
		for (const pair of [INSIDE, IPV6]) {
			for (let count = 1; count <= 12; count++) {
				expect(await connect(probe, pair.target, 22)).toBe('succeeded');
			}

			expect(await connect(probe, pair.target, 22)).toBe('refused');
		}

		expect(await connect(probe, OUTSIDE.target, 53)).toBe('succeeded');
	});
});
