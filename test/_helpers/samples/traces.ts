import {readdirSync, readFileSync, readlinkSync} from 'node:fs';
import type {Host} from '../lab/namespaces.ts';
import {succeed} from '../lab/programs.ts';

/** What of the kernel changes by itself. */
const RESTLESS = /nf_conntrack_count|stable_secret|\/neigh\/|random/;

/** All of a machine of the test that a proof must leave as it is. */
export async function photograph(host: Host): Promise<Readonly<Record<string, string>>> {
	const look = async (command: string) => host.must('sh', ['-c', command]);
	const saves = ['iptables', 'ip6tables'].flatMap((name) =>
		['nft', 'legacy'].map((backend) => `${name}-${backend}-save 2>&1`),
	);
	const [rules, nft, links, routes, kernel, files] = await Promise.all([
		look(saves.join('; ')),
		look('nft list ruleset'),
		look('ip -d link; ip address'),
		look('ip route show table all; ip -6 route show table all; ip rule; ip -6 rule'),
		look('grep -rs . /proc/sys/net || true'),
		look('tar --sort=name -cf - /etc /var/lib 2>/dev/null | sha256sum'),
	]);
	return {
		rules: rules.replaceAll(/^#.*\n/gm, '').replaceAll(/\[\d+:\d+\]/g, ''),
		nft: nft.replaceAll(/packets \d+ bytes \d+/g, ''),
		links: links.replaceAll(/(?:valid|preferred)_lft \S+/g, ''),
		routes: routes.replaceAll(/expires \S+/g, ''),
		kernel: withoutRestless(kernel),
		files,
	};
}

/** The kernel parameters of the network of the machine itself. Only read. */
export async function kernelParameters(): Promise<string> {
	return withoutRestless(await succeed(['sh', '-c', 'grep -rs . /proc/sys/net || true']));
}

function withoutRestless(text: string): string {
	return text
		.split('\n')
		.filter((line) => !RESTLESS.test(line))
		.join('\n');
}

type Descendant = {readonly pid: number; readonly title: string; readonly network: string};

/** All that a process has started, and what that has. */
export function descendantsOf(pid: number): readonly Descendant[] {
	try {
		return readdirSync(`/proc/${pid}/task`)
			.flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' '))
			.filter(Boolean)
			.map(Number)
			.flatMap((child) => {
				const title = readFileSync(`/proc/${child}/cmdline`, 'utf8').replaceAll('\0', ' ');
				const network = readlinkSync(`/proc/${child}/ns/net`);
				return [{pid: child, title, network}, ...descendantsOf(child)];
			});
	} catch {
		// It ended while we looked.
		return [];
	}
}

/** The network namespaces that some process is in. */
export function networksInUse(): ReadonlySet<string> {
	return new Set(
		readdirSync('/proc')
			.filter((name) => /^\d+$/.test(name))
			.flatMap((pid) => {
				try {
					return [readlinkSync(`/proc/${pid}/ns/net`)];
				} catch {
					return [];
				}
			}),
	);
}
