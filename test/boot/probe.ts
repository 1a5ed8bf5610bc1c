import path from 'node:path';
import process from 'node:process';
import {expect} from 'vitest';
import type {Debian} from '../_helpers/lab/debian.ts';
import {execute, type Server, startServer, succeed} from '../_helpers/lab/programs.ts';
import {canLogIn} from '../_helpers/ssh/ssh.ts';

const PROBER = path.resolve(import.meta.dirname, './prober.js');
/** What no policy of the tests opens. */
export const SHUT = 3306;

/** Sees in the machine's network, before its PID 1 is there, what arrives and what passes all filters. */
const WITNESS = `
table inet fww_boot {
	chain arrived {
		type filter hook prerouting priority -310;
		meta l4proto { tcp, udp } th dport ${SHUT} counter
	}
	chain passed {
		type filter hook input priority 300;
		meta l4proto { tcp, udp } th dport ${SHUT} counter
	}
}
`;

/** What passed of the knocks at a shut port. */
export type Probed = {
	readonly arrived: number;
	readonly passed: number;
	readonly answers: Readonly<Record<string, number>>;
	/** Milliseconds in which knocks were answered. */
	readonly open: number;
};

/** Reboots while somebody knocks at a shut port, from before the network is up until one can log in and all is settled. */
export async function rebootUnderProbe(
	debian: Debian,
	settled: () => Promise<unknown> = async () => {},
): Promise<Probed> {
	let prober: Server | undefined;
	await debian.reboot(async (namespace) => {
		await succeed(['ip', 'netns', 'exec', namespace, 'nft', '-f', '-'], {input: WITNESS});
		prober = await startServer(
			[...debian.client.enter, process.execPath, PROBER, `${SHUT}`, ...debian.addresses],
			/ready/,
		);
	});
	expect(await canLogIn(debian, 4)).toBe(true);
	await settled();
	await prober?.endInput();
	const {arrived, passed} = await readWitness(debian);
	// Where something has flushed all of nftables, it is gone.
	await debian.host.run('nft', ['delete', 'table', 'inet', 'fww_boot']);
	const {answers, open} = JSON.parse(prober?.output().replace('ready', '') ?? '') as Probed;
	return {arrived, passed, answers, open};
}

/** How many knocks have arrived since the machine has its network, and how many of them have passed all filters. */
export async function readWitness({host}: Debian): Promise<Pick<Probed, 'arrived' | 'passed'>> {
	const list = ['nft', 'list', 'table', 'inet', 'fww_boot'];
	const {stdout} = await execute(['ip', 'netns', 'exec', host.name, ...list]);
	const [arrived = 0, passed = 0] = [...stdout.matchAll(/packets (\d+)/g)].map(([, count]) =>
		Number(count),
	);
	return {arrived, passed};
}
