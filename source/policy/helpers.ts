import type {Family} from '../lib/network.ts';
import type {Protocol} from './services.ts';

export const HELPER_NAMES = [
	'ftp',
	'tftp',
	'irc',
	'sip',
	'pptp',
	'h323',
	'amanda',
	'sane',
	'netbios-ns',
	'snmp',
] as const;

/** The names that the user chooses by. One name may comprise several kernel helpers (H.323 has two). */
export type HelperName = (typeof HELPER_NAMES)[number];

/** The names of the kernel, for `-j CT --helper`. */
export type KernelHelper = Exclude<HelperName, 'h323'> | 'RAS' | 'Q.931';

/** One CT rule: connections to this port get this helper (`-j CT --helper NAME`). */
export type HelperPort = {
	readonly helper: KernelHelper;
	readonly protocol: Protocol;
	readonly port: number;
};

export type Helper = {
	readonly name: HelperName;
	/** The kernel module; before Linux 2.6.20 the names began with ip_. */
	readonly module: string;
	readonly ports: readonly HelperPort[];
	readonly families: readonly Family[];
	/** Needed where this machine is the client: its connections leave through OUTPUT. */
	readonly client: boolean;
	/** Needed where this machine is the server: its connections come in through PREROUTING. */
	readonly server: boolean;
	/** What it is for, in words for the user. */
	readonly purpose: string;
	/** How it makes the machine less safe. */
	readonly cost: string;
};

const BOTH: readonly Family[] = [4, 6];
const IPV4_ONLY: readonly Family[] = [4];

/**
 * The conntrack helpers of the Linux kernel, with the directions in which measurements showed each to
 * be needed (Linux 6.1 and 6.18; sip, pptp and h323 on 6.18, by the protocols in
 * source/testbed/protocols). The families are those that the modules register
 * (net/netfilter/nf_conntrack_*.c).
 */
export const HELPERS: readonly Helper[] = [
	{
		name: 'ftp',
		module: 'nf_conntrack_ftp',
		ports: [{helper: 'ftp', protocol: 'tcp', port: 21}],
		families: BOTH,
		client: true,
		server: true,
		purpose: 'FTP without encryption: active transfers of a client, passive ones of a server',
		cost: 'An FTP server can name a port of this machine and reach it, from its own address',
	},
	{
		name: 'tftp',
		module: 'nf_conntrack_tftp',
		ports: [{helper: 'tftp', protocol: 'udp', port: 69}],
		families: BOTH,
		client: true,
		server: false,
		purpose: 'Fetching files over TFTP, as for firmware or network boot',
		cost: 'The asked server may answer from any of its ports',
	},
	{
		name: 'irc',
		module: 'nf_conntrack_irc',
		ports: [{helper: 'irc', protocol: 'tcp', port: 6667}],
		families: IPV4_ONLY,
		client: true,
		server: false,
		purpose: 'Sending files over IRC without encryption (DCC)',
		cost: 'The offered port is open to any address until somebody connects',
	},
	{
		name: 'sip',
		module: 'nf_conntrack_sip',
		ports: [
			{helper: 'sip', protocol: 'udp', port: 5060},
			{helper: 'sip', protocol: 'tcp', port: 5060},
		],
		families: BOTH,
		client: true,
		server: true,
		purpose: 'Internet telephony without encryption: the voice of a softphone or a PBX',
		cost: 'What a call says about its addresses is believed; many phones do better without',
	},
	{
		name: 'pptp',
		module: 'nf_conntrack_pptp',
		ports: [{helper: 'pptp', protocol: 'tcp', port: 1723}],
		families: IPV4_ONLY,
		client: true,
		server: true,
		purpose: 'PPTP, an old VPN: accepts its GRE packets',
		cost: 'PPTP itself is broken; prefer WireGuard',
	},
	{
		name: 'h323',
		module: 'nf_conntrack_h323',
		ports: [
			{helper: 'RAS', protocol: 'udp', port: 1719},
			{helper: 'Q.931', protocol: 'tcp', port: 1720},
		],
		families: BOTH,
		client: true,
		server: true,
		purpose: 'H.323 telephony and video conferences',
		cost: 'A large parser in the kernel reads what strangers send',
	},
	{
		name: 'amanda',
		module: 'nf_conntrack_amanda',
		ports: [{helper: 'amanda', protocol: 'udp', port: 10_080}],
		families: BOTH,
		client: false,
		server: true,
		purpose: 'Amanda backup, on the machine that is backed up',
		cost: 'The backup server is allowed to the ports that the exchange names',
	},
	{
		name: 'sane',
		module: 'nf_conntrack_sane',
		ports: [{helper: 'sane', protocol: 'tcp', port: 6566}],
		families: BOTH,
		client: false,
		server: true,
		purpose: 'Sharing a scanner with the network (saned)',
		cost: 'A scanning client is allowed to the port that the exchange names',
	},
	{
		name: 'netbios-ns',
		module: 'nf_conntrack_netbios_ns',
		ports: [{helper: 'netbios-ns', protocol: 'udp', port: 137}],
		families: IPV4_ONLY,
		client: true,
		server: false,
		purpose: 'Finding Windows machines by NetBIOS names (browsing)',
		cost: 'Every machine of the local network may answer a question for a few seconds',
	},
	{
		name: 'snmp',
		module: 'nf_conntrack_snmp',
		ports: [{helper: 'snmp', protocol: 'udp', port: 161}],
		families: IPV4_ONLY,
		client: true,
		server: false,
		purpose: 'Finding printers and switches by SNMP broadcast',
		cost: 'Every machine of the local network may answer a question for a few seconds',
	},
];

/** The entry of a helper in the table. */
export function helperOf(name: HelperName): Helper {
	const helper = HELPERS.find((candidate) => candidate.name === name);
	if (!helper) {
		throw new RangeError(`no helper ${name}`);
	}

	return helper;
}
