import type {KnownProgram} from './known-program.ts';

/** The table of firewalld, by its nftables backend. */
export const FIREWALLD_TABLE = 'inet firewalld';

/** Programs that own the whole firewall: no other can be applied beside them. */
export const FIREWALLS: readonly KnownProgram[] = [
	{
		name: 'ufw',
		kind: 'firewall',
		chains: /^ufw6?-/,
		services: ['ufw.service'],
		needsFilter: false,
		does: 'ufw is another front end of iptables, with rules of its own',
		means: 'It owns the firewall: its rules decide first, and it loads them again at each boot',
		breaks: 'ufw: what it opened is closed, unless it is opened here',
	},
	{
		name: 'firewalld',
		kind: 'firewall',
		tables: /^(?:inet|ip6?) firewalld$/,
		services: ['firewalld.service'],
		needsFilter: false,
		does: 'firewalld is another firewall, with rules in nftables',
		means: 'It owns the firewall: what it does not allow stays blocked, whatever is opened here',
	},
];

/** A service that restores saved rules of iptables at boot, and is no firewall of its own. */
export type RuleLoader = {
	readonly name: string;
	/** How it is enabled: as a unit of systemd, or as a script in a runlevel of OpenRC. */
	readonly enabledAs: {readonly unit: string} | {readonly script: string};
	/** Where distributions keep the rules that it restores. */
	readonly files: readonly string[];
};

/** The files of netfilter-persistent, of both families (iptables-persistent of Debian). */
export const PERSISTENT_FILES = ['/etc/iptables/rules.v4', '/etc/iptables/rules.v6'] as const;

/** What nftables.service loads, on Debian and on Red Hat. */
export const NFTABLES_FILES = ['/etc/nftables.conf', '/etc/sysconfig/nftables.conf'] as const;

const IPTABLES = ['iptables', 'ip6tables'];

export const RULE_LOADERS: readonly RuleLoader[] = [
	// iptables-services of Red Hat and Fedora; iptables of Arch.
	...IPTABLES.map((name) => ({
		name,
		enabledAs: {unit: `${name}.service`},
		files: [`/etc/sysconfig/${name}`, `/etc/iptables/${name}.rules`],
	})),
	// Of Alpine, and of Gentoo.
	...IPTABLES.map((name) => ({
		name,
		enabledAs: {script: name},
		files: [
			`/etc/iptables/${name === 'iptables' ? 'rules' : 'rules6'}-save`,
			`/var/lib/${name}/rules-save`,
		],
	})),
	{
		name: 'netfilter-persistent',
		enabledAs: {unit: 'netfilter-persistent'},
		files: PERSISTENT_FILES,
	},
];
