/** A program that makes firewall rules or network interfaces for its own use, and how these are told from others. */
export type KnownProgram = {
	/** As a person calls it: `Docker`. */
	readonly name: string;
	/**
	 * What it is for. `containers` and `cluster` connect containers or virtual machines of this machine,
	 * so that what comes in on their interfaces does not come from outside. A `firewall` decides on
	 * everything, and rules of fw-wizard beside it would not be the last word.
	 */
	readonly kind: 'containers' | 'cluster' | 'bans' | 'vpn' | 'sharing' | 'firewall';
	/** Names of its chains, in any table of iptables. */
	readonly chains?: RegExp;
	/** Its tables in nftables, as `inet name`; never a table that iptables-nft makes. */
	readonly tables?: RegExp;
	/** Its rules in chains that are not its own, as iptables-save prints them. */
	readonly rules?: RegExp;
	/** Names of the network interfaces that it makes. */
	readonly interfaces?: RegExp;
	/** Processes that run wherever it is in use, as the kernel names them (15 characters at most). */
	readonly processes?: readonly string[];
	/** The services that start it at boot: units of systemd, without `.service` init scripts. */
	readonly services?: readonly string[];
	/** Processes that listen for one of its containers, which has a network of its own. */
	readonly proxies?: readonly string[];
	/** Paths of control groups that processes of its containers are in. */
	readonly controlGroups?: RegExp;
	/** The program that stops one of its containers by `stop` and lists them by `ps`. */
	readonly command?: string;
	/** The command that lifts the ban of an address, which follows it. */
	readonly unban?: string;
	/** Its rules in the filter table are needed, and come back only when it is restarted. */
	readonly needsFilter: boolean;
	/** What it does here, in one sentence without a full stop. */
	readonly does: string;
	/** What that means for the policy, likewise. */
	readonly means: string;
	/** What no longer works without its rules in the filter table, likewise. */
	readonly breaks?: string;
};
