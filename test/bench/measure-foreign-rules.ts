// Measures how many rules of Docker, fail2ban, libvirt and Tailscale are left after a program has loaded
// its own and loaded them again. Runs as root in namespaces of its own; prints the figures as JSON.
import type {Backend} from '../../source/host/netfilter/iptables.ts';
import {type Host, openLab} from '../_helpers/lab/lab.ts';
import {NEIGHBOURS} from '../_helpers/samples/neighbours.ts';
import type {Figure} from './statistics.ts';
import {installedTools, type Tool, WIZARD} from './tools.ts';

const PROGRAMS = ['iptables', 'ip6tables'] as const;

/** The rules of all tables, each with its table. */
async function rulesOf(host: Host): Promise<readonly string[]> {
	const texts = await Promise.all(
		PROGRAMS.map(async (program) => host.must(`${program}-save`, [])),
	);
	return texts.flatMap((text, index) => {
		let table = '';
		return text.split('\n').flatMap((line) => {
			table = line.startsWith('*') ? line : table;
			return line.startsWith('-A') ? [`${PROGRAMS[index]} ${table} ${line}`] : [];
		});
	});
}

async function measure({name, prepare, reload}: Tool, backend: Backend): Promise<Figure> {
	const lab = openLab();
	try {
		const host = await lab.host({backend});
		for (const program of PROGRAMS) {
			await host.must(`${program}-restore`, [], {input: NEIGHBOURS[program]});
		}

		const foreign = await rulesOf(host);
		await prepare(host);
		await reload(host);
		const now = new Set(await rulesOf(host));
		const left = foreign.filter((rule) => now.has(rule)).length;
		return {
			name: `${name} (${backend}): rules of other programs that are left`,
			value: `${left} of ${foreign.length}`,
			...(name === WIZARD.name ? {limit: 'all', kept: left === foreign.length} : {}),
		};
	} finally {
		await lab.close();
	}
}

const figures: Figure[] = [];
for (const tool of installedTools()) {
	for (const backend of tool.backends) {
		figures.push(await measure(tool, backend));
	}
}

console.log(JSON.stringify(figures));
