import type {Elevation} from '../../lib/command-line.ts';
import type {Fact} from '../../lib/fact.ts';
import {findProgram} from '../exec/find-program.ts';
import {findElevation} from '../exec/invocation.ts';
import {ask} from '../exec/run.ts';
import {namespacesAllowed} from '../rehearsal/start.ts';
import {FACT_TIMEOUT_MS, findFact} from './find-fact.ts';
import {findRunningInit, type RunningInit} from './init-system.ts';
import {allInterfaces, type ScopedInterface} from './interfaces.ts';
import {distributionHere, type Ipv6, ipv6Here, kernelHere, netAdminHere} from './system.ts';

/** What a bug report needs beside the facts that answers depend on. */
export type SystemReport = {
	readonly kernel: string;
	readonly distribution: Fact<string>;
	readonly init: RunningInit;
	/** The version of nft. */
	readonly nft: Fact<string | 'absent'>;
	readonly ipv6: Fact<Ipv6>;
	/** Whether this process may read and change rules. */
	readonly netAdmin: Fact<boolean>;
	/** The program with which an ordinary user becomes root. */
	readonly elevation: Elevation | 'absent';
	/** Whether a rehearsal and a proof can be made here. */
	readonly namespaces: Fact<'allowed' | 'forbidden'>;
	/** Whether ss(8) is installed, without which less is known of IPv6 sockets. */
	readonly hasSs: boolean;
	/** All that are up, loopback too. */
	readonly interfaces: readonly ScopedInterface[];
};

/** Finds out everything at once, each fact in at most three seconds. Never throws, changes nothing. */
export async function reportSystem(): Promise<SystemReport> {
	const [nft, namespaces] = await Promise.all([
		findFact(findNft),
		findFact(async () => ((await namespacesAllowed()) ? 'allowed' : 'forbidden')),
	]);
	return {
		kernel: kernelHere(),
		distribution: distributionHere(),
		init: findRunningInit(),
		nft,
		ipv6: ipv6Here(),
		netAdmin: netAdminHere(),
		elevation: findElevation() ?? 'absent',
		namespaces,
		hasSs: findProgram('ss') !== undefined,
		interfaces: allInterfaces(),
	};
}

/** @throws {Error} where nft does not work */
async function findNft(): Promise<string> {
	if (findProgram('nft') === undefined) {
		return 'absent';
	}

	const version = /v([\d.]+)/.exec(
		await ask('nft', ['--version'], {timeout: FACT_TIMEOUT_MS}),
	)?.[1];
	if (version === undefined) {
		throw new Error('nft does not say its version');
	}

	return version;
}
