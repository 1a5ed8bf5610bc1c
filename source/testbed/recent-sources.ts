import {readText} from '../host/files/read-text.ts';
import type {Namespace} from '../host/netns.ts';
import {normalizeAddress} from '../lib/network.ts';
import {isIptables, type RulesUnderTest} from './load-rules.ts';

/** Where the kernel keeps the sources that -m recent has recorded (iptables-extensions(8)). */
const FOLDER = 'xt_recent';

/**
 * Records a source in a copy's lists of -m recent in which the machine has it, as often as there. Its
 * rules must be loaded.
 */
export async function copyRecentSource(
	machine: Namespace,
	{loads}: RulesUnderTest,
	source: string,
): Promise<void> {
	const names = loads
		.filter(isIptables)
		.flatMap(({text}) =>
			[...text.matchAll(/ -m recent .*?--name (\w[\w.-]*)/g)].map(([, name = '']) => name),
		);
	for (const name of new Set(names)) {
		const entry = readText(`/proc/net/${FOLDER}/${name}`)
			?.split('\n')
			.find((line) => normalizeAddress(/^src=(\S+)/.exec(line)?.[1] ?? '') === source);
		const stamps = entry?.split(',').length ?? 0;
		for (let count = 0; count < stamps; count += 1) {
			await machine.run('tee', [`/proc/net/${FOLDER}/${name}`], {input: `+${source}\n`});
		}
	}
}
