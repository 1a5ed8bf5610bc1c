import type {KnownProgram} from './known-program.ts';

/** Its interfaces may have any name: the kernel tells which they are (DEVTYPE in uevent). */
export const WIREGUARD: KnownProgram = {
	name: 'WireGuard',
	kind: 'vpn',
	tables: /^ip6? wg-quick-/,
	rules: /--comment "wg-quick\(8\) rule for /,
	interfaces: /^wg\d+$/,
	needsFilter: false,
	does: 'WireGuard connects this machine with others',
	means:
		'Its UDP port must be open for others to begin; what comes through it is judged like all else',
};

/**
 * Private networks over others. Names are from the sources of Tailscale (util/linuxfw), NetBird
 * (client/firewall), ZeroTier, wg-quick(8), and the Linux apps of NordVPN and Mullvad.
 */
export const VPN_PROGRAMS: readonly KnownProgram[] = [
	{
		name: 'Tailscale',
		kind: 'vpn',
		chains: /^ts-/,
		interfaces: /^tailscale/,
		processes: ['tailscaled'],
		needsFilter: false,
		does: 'Tailscale allows everything that comes through its own network',
		means: 'What comes through tailscale0 is accepted before our rules are evaluated',
		breaks: 'Tailscale: its network reaches only what is open here, until tailscaled is restarted',
	},
	{
		name: 'NetBird',
		kind: 'vpn',
		chains: /^(?:NETBIRD|netbird)-/,
		tables: /^ip6? netbird$/,
		rules: /^-A (?:INPUT|FORWARD|OUTPUT) .*-[io] wt\d+ /,
		interfaces: /^wt\d+$/,
		processes: ['netbird'],
		needsFilter: false,
		does: 'NetBird filters what comes through its own network by rules of its own',
		means:
			'Its rules are evaluated first; where they are in nftables, what comes through wt0 must be open here as well',
		breaks: 'NetBird: its network reaches only what is open here, until netbird is restarted',
	},
	{
		name: 'ZeroTier',
		kind: 'vpn',
		interfaces: /^zt[a-z\d]{8}$/,
		processes: ['zerotier-one'],
		needsFilter: false,
		does: 'ZeroTier connects this machine with others through a network of its own',
		means:
			'What comes through it is treated like everything else; with 9993/udp open others reach this machine without a relay',
	},
	{
		name: 'NordVPN',
		kind: 'vpn',
		rules: /--comment "?nordvpn(?:-\d+)?"?(?: |$)/,
		interfaces: /^nord(?:lynx|tun)/,
		processes: ['nordvpnd'],
		needsFilter: false,
		does: 'NordVPN sends the traffic of this machine through its servers, and has rules of its own',
		means: 'Its rules stay, and are evaluated first',
		breaks: 'NordVPN: its kill switch and its allowlist do not work until it connects again',
	},
	{
		name: 'Mullvad',
		kind: 'vpn',
		tables: /^(?:inet mullvad|ip6? mullvadmangle[46])$/,
		interfaces: /^wg\d?-mullvad$/,
		processes: ['mullvad-daemon'],
		needsFilter: false,
		does: 'Mullvad sends the traffic of this machine through its servers, and has rules of its own',
		means: 'Its rules stay: what they drop stays blocked, whatever is opened here',
	},
	WIREGUARD,
];

/** Those that send the traffic of this machine through a provider's servers connect it with nobody. */
const PROVIDERS: readonly string[] = ['NordVPN', 'Mullvad'];

/** Whether an interface leads to machines of the same owner: through it alone a port may be meant to be reached. */
export function isPrivateNetwork(name: string): boolean {
	return VPN_PROGRAMS.some(
		(program) => !PROVIDERS.includes(program.name) && program.interfaces?.test(name) === true,
	);
}
