// Measures how many packets leak and are lost while the same rules are loaded again and again, by
// this program and by those of the others that are installed. Runs as root in namespaces of its own;
// prints the figures as JSON.
import type {Backend} from '../../source/host/netfilter/iptables.ts';
import {openLab} from '../_helpers/lab/lab.ts';
import {joinedPair} from '../_helpers/lab/pair.ts';
import {startTraffic} from '../_helpers/traffic/traffic.ts';
import type {Figure} from './statistics.ts';
import {installedTools, type Tool, WIZARD} from './tools.ts';

const TIMES = 20;

async function measure(
	{name, prepare, reload}: Tool,
	backend: Backend,
): Promise<readonly Figure[]> {
	const lab = openLab();
	try {
		const {target, probe} = await joinedPair(lab, backend);
		await prepare(target);
		const traffic = await startTraffic(target, probe);
		for (let round = 0; round < TIMES; round++) {
			await reload(target);
		}

		const {counts} = await traffic.stop();
		const [shut, open] = [true, false].map((wanted) =>
			counts.filter((count) => count.name.includes(' shut ') === wanted),
		);
		const sum = (part: typeof counts = [], key: 'arrived' | 'passed') =>
			part.reduce((total, count) => total + count[key], 0);
		const leaked = sum(shut, 'passed');
		const lost = sum(open, 'arrived') - sum(open, 'passed');
		const own = name === WIZARD.name;
		const promise = (kept: boolean) => (own ? {limit: '0', kept} : {});
		return [
			{
				name: `${TIMES} times ${name} (${backend}): forbidden packets that passed`,
				value: `${leaked} of ${sum(shut, 'arrived')}`,
				...promise(leaked === 0),
			},
			{
				name: `${TIMES} times ${name} (${backend}): allowed packets that were lost`,
				value: `${lost} of ${sum(open, 'arrived')}`,
				...promise(lost === 0),
			},
		];
	} finally {
		await lab.close();
	}
}

const figures: Figure[] = [];
for (const tool of installedTools()) {
	for (const backend of tool.backends) {
		figures.push(...(await measure(tool, backend)));
	}
}

console.log(JSON.stringify(figures));
