/** A program that makes rules for its own use, and how its rules are known. */
export type KnownProgram = {
	readonly name: string;
	/** Its chains in iptables. */
	readonly chains: RegExp;
	/** Its tables in nftables, as `inet name`; never one of iptables' own. */
	readonly tables?: RegExp;
	/** The service behind it, as the kernel names its process. */
	readonly process?: string;
	/** Without its rules in the filter table it does not work, and does not mend that by itself. */
	readonly needsFilter: boolean;
	readonly does: string;
	readonly means: string;
	/** What no longer works without its rules in INPUT or in the filter table. */
	readonly breaks: string;
};

/** By the chains that they make, as their sources and the rules they leave have it. */
export const KNOWN_PROGRAMS: readonly KnownProgram[] = [
	{
		name: 'Docker',
		chains: /^DOCKER(-|$)/,
		tables: /^ip6? docker-bridges$/,
		process: 'dockerd',
		needsFilter: true,
		does: 'Docker forwards packets to its containers by rules of its own',
		means:
			'Published ports do not go through INPUT: they stay reachable whatever is chosen here; its rules stay',
		breaks: 'Docker: containers lose their network and their isolation until Docker is restarted',
	},
	{
		name: 'podman',
		chains: /^(NETAVARK|CNI-)/,
		tables: /^inet netavark$/,
		needsFilter: true,
		does: 'podman forwards packets to its containers by rules of its own',
		means:
			'Published ports do not go through INPUT: they stay reachable whatever is chosen here; its rules stay',
		breaks: 'podman: containers lose their network until they are started again',
	},
	{
		name: 'libvirt',
		chains: /^LIBVIRT_/,
		tables: /^ip6? libvirt_network$/,
		process: 'libvirtd',
		needsFilter: true,
		does: 'libvirt lets virtual machines reach the network, and this machine for DHCP and DNS',
		means: 'Its rules stay, and let in DHCP and DNS from its own bridge only',
		breaks:
			'libvirt: virtual machines get no address and no names until its networks are started again',
	},
	{
		name: 'Kubernetes',
		chains: /^KUBE-/,
		tables: /^ip6? kube-proxy$/,
		process: 'kubelet',
		needsFilter: true,
		does: 'Kubernetes forwards packets to its services and pods by rules of its own',
		means:
			'Services on node ports do not all go through INPUT, and the nodes need ports open to each other (10250/tcp and those of its network)',
		breaks: 'Kubernetes: services and pods are cut off until kube-proxy has made its rules again',
	},
	{
		name: 'fail2ban',
		chains: /^(f2b|fail2ban)-/,
		tables: /^inet f2b-table$/,
		process: 'fail2ban-server',
		needsFilter: false,
		does: 'fail2ban shuts out addresses that guess passwords',
		means: 'Its bans come before our rules and go on working',
		breaks: 'fail2ban: those who are banned now get in until fail2ban is restarted',
	},
	{
		name: 'CrowdSec',
		chains: /^CROWDSEC/,
		tables: /^ip6? crowdsec6?$/,
		process: 'crowdsec',
		needsFilter: false,
		does: 'CrowdSec shuts out addresses that are known for attacks',
		means: 'Its bans come before our rules and go on working',
		breaks: 'CrowdSec: those who are banned get in until its firewall bouncer is restarted',
	},
	{
		name: 'Tailscale',
		chains: /^ts-/,
		process: 'tailscaled',
		needsFilter: false,
		does: 'Tailscale lets in everything that comes through its own network',
		means: 'What comes through tailscale0 is let in before our rules decide',
		breaks: 'Tailscale: its network reaches only what is open here, until tailscaled is restarted',
	},
	{
		name: 'ufw',
		chains: /^ufw6?-/,
		needsFilter: false,
		does: 'ufw is another front end of iptables, with rules of its own',
		means: 'It owns the firewall: its rules decide first, and it loads them again at each boot',
		breaks: 'ufw: what it opened is shut, unless it is opened here',
	},
];

/** The program that makes chains of this name. */
export function programOfChain(chain: string): KnownProgram | undefined {
	if (!MAKERS.has(chain)) {
		MAKERS.set(
			chain,
			KNOWN_PROGRAMS.find(({chains}) => chains.test(chain)),
		);
	}

	return MAKERS.get(chain);
}

/** Found out once for each name: thousands of rules have a few. */
const MAKERS = new Map<string, KnownProgram | undefined>();

/** The program that makes this table of nftables, named as `inet name`. */
export function programOfTable(table: string): KnownProgram | undefined {
	return KNOWN_PROGRAMS.find(({tables}) => tables?.test(table));
}

/** The program that a rule belongs to, as iptables-save prints it: by its chain, its set or where it leads. */
export function programOfRule(rule: string): KnownProgram | undefined {
	const target = targetOf(rule);
	return (
		programOfChain(chainOf(rule)) ??
		(rule.includes('--match-set crowdsec')
			? KNOWN_PROGRAMS.find(({name}) => name === 'CrowdSec')
			: undefined) ??
		(target === undefined ? undefined : programOfChain(target))
	);
}

/** The chain that a rule is in, as iptables-save prints it. */
export function chainOf(rule: string): string {
	return rule.slice(3, rule.includes(' ', 3) ? rule.indexOf(' ', 3) : undefined);
}

/** Where a rule leads: the last word behind -j or -g, if nothing follows it. */
export function targetOf(rule: string): string | undefined {
	const end = rule.lastIndexOf(' ');
	const option = rule.slice(end - 3, end);
	return option === ' -j' || option === ' -g' ? rule.slice(end + 1) || undefined : undefined;
}
