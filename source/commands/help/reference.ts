import {WATCH_FILE} from '../../change/paths.ts';
import {MESSAGE_IDS} from '../../persistence/watch/pass-on-findings.ts';
import {HELPERS} from '../../policy/helpers.ts';

/** A section of the manual: paragraphs, and terms with what they mean. */
export type Section = {
	readonly title: string;
	readonly paragraphs: readonly string[];
	readonly entries?: ReadonlyArray<readonly [string, string]>;
};

/** What the manual tells beside the commands, in the order in which a reader needs it. */
export const REFERENCE: readonly Section[] = [
	{
		title: 'RULES',
		paragraphs: [
			'The rules are in chains of their own, with one jump from each built-in chain: FW-WIZARD-INPUT, FW-WIZARD-OUTPUT and FW-WIZARD-PREROUTING (raw, for helpers), FW-WIZARD-FORWARD (mangle, for published ports), and FW-WIZARD-FROM-1 and so on, where several ports are open to the same sources, or FW-WIZARD-FROM-NAME for a named group of sources. Rules of other programs, chain policies, FORWARD and OUTPUT are not changed, unless --existing removes rules.',
			'Their order: answers to this machine, ICMP, loopback, DROP of packets that fit no connection, DHCP answers, the openings, logging if chosen, the verdict. Each family is loaded by one iptables-restore: a packet meets the old rules or the new ones, never a part of them.',
			'A group of sources from a file has the networks that the file had when the policy was applied. Where the file has changed, fw-wizard check reports it, and fw-wizard apply takes it: without --role and --policy, apply takes the policy that was applied last, reads such files again, and puts what other flags say in place of its fields.',
			'The same rules hold for IPv4 and IPv6. Where the kernel has no IPv6 that family is left out.',
		],
	},
	{
		title: 'VERDICTS',
		paragraphs: [
			'What a blocked client sees. Reject is recommended: a client learns at once what is wrong, and a scan learns only that there is a firewall. Drop hides nothing from a scanner that gets an answer from one open port. The kernel limits the rate of ICMP errors, not of resets.',
		],
		entries: [
			['reject', 'ICMP port unreachable: "connection refused" at once; nmap says filtered'],
			['reset', 'TCP reset, for UDP as reject: "connection refused" at once; nmap says closed'],
			['drop', 'nothing: the client waits, often over a minute; nmap says filtered'],
		],
	},
	{
		title: 'HELPERS',
		paragraphs: [
			'Some old protocols name, inside one connection, the port of a second one. A conntrack helper reads that and allows the second connection as related. None is on by default, since a helper believes what the payload says. With TLS (FTPS, SIPS) a helper reads nothing: open a fixed range of ports.',
		],
		entries: HELPERS.map(({name, ports, purpose, cost}) => [
			name,
			`${[...new Set(ports.map(({port, protocol}) => `${port}/${protocol}`))].join(', ')}. ${purpose}. ${cost}`,
		]),
	},
	{
		title: 'OTHER FIREWALLS AND EXISTING RULES',
		paragraphs: [
			'Beside ufw or firewalld nothing is applied unless --switch-off names it. Without --open the policy then starts from what that firewall allowed; addresses that it banned stay blocked. What cannot be imported (forwarded packets, rules of ufw-docker) is named, and apply refuses until --accept-losses accepts it. Undo switches the other firewall on again.',
			'--existing flush-input and flush-filter remove existing rules in the same restore that loads the new ones; undo, the watchdog and a roll back restore exactly these. The filter table is not flushed under Docker, podman, Kubernetes or libvirt. Where a file loads removed rules again at boot (/etc/iptables/rules.v4), --saved-rules says whether they are removed from it.',
			'A change and its way back are tried in an isolated copy first: where existing rules could not be restored exactly, nothing is applied. --no-rehearsal is for machines that cannot make namespaces.',
		],
	},
	{
		title: 'CONFIRMATION',
		paragraphs: [
			'Before the first rule is loaded, the old rules are saved and a watchdog is armed: a timer of systemd, or a process in a session of its own. It runs a POSIX shell script that needs neither Node nor this program, and restores the old rules 60 s later, unless the change is confirmed. Nothing is written for the next boot before that: a power cycle restores the old rules too.',
			'Over SSH a change is confirmed by a new login: its connection began after the rules were loaded, through a port that the new rules open, to a server of root, from the address from which they were applied. The wizard sees it, or run fw-wizard confirm in it. Where ssh shares connections (ControlMaster), log in with ssh -o ControlPath=none. What cannot be detected (mosh, a web console) needs: fw-wizard confirm keep. At the console of the machine Enter is enough.',
			'Through WireGuard, OpenVPN or IPsec the port of the tunnel must stay open as well, unless this machine dials. Open connections are made known to conntrack (with conntrack, where it is installed), so that they live on.',
		],
	},
	{
		title: 'SERVERS',
		paragraphs: [
			'With --host any command, or the wizard, runs on a server, from Linux or macOS (not tested there). Your own ssh logs in once, with its configuration, keys, agent and jump hosts; SERVER is what you would type for it, or ssh://USER@SERVER:PORT. The program is sent over that connection into a private folder there. Where the server has no Node that is new enough, so is one of the registry of npm (53 MB, checksum known to this program, saved in ~/.cache/fw-wizard), or the file of --node. The registry has none for musl (Alpine) and for other machines than x86_64 and aarch64.',
			'The server removes the folder when the connection ends, whatever ends it. With --install the program stays, in /usr/local/lib/fw-wizard and as the command fw-wizard. A user who is not root becomes it by sudo, or su, which asks for the password on your terminal; where the output goes elsewhere nobody can be asked.',
			'Files of --policy and --nmap, and those that diff compares, are read on your machine, all others are those of the server. A change is confirmed by a new login from your machine, or by: fw-wizard --host SERVER confirm. status, check and prove take several --host: one row a server, side by side, and exit status 1 unless all is well on all; a server that cannot be reached is not well. With --json they print what fw-wizard schema hosts describes.',
		],
	},
	{
		title: 'PROOF',
		paragraphs: [
			'A copy of the interfaces and addresses of this machine is built in a network namespace, the rules are loaded into it, and a packet is sent to each TCP and UDP port over IPv4 and IPv6: from any address, from inside and just outside of each network that the policy names, on each interface, and from your own address. Counters before and after all filters note what arrived and what passed. Protocol checks follow: answers to own connections, ping, neighbor discovery, path MTU, DHCP, loopback, packets that fit no connection, each chosen helper.',
			'Rules of other programs that stay are loaded as well, of both backends and of nftables. What they open beyond the policy, or block, is a difference, and is named with its rule. Published ports are tried through the real DNAT. What has no copy (tc, XDP, IPsec, policy routing) is named. An ordinary user proves the rules without those of other programs.',
			'--of running takes all rules that the kernel has now; --of boot those of the next boot, by the commands of the boot. The proof needs namespaces. It does not replace a scan from another machine: nmap -sS -p- -T4 -oX scan.xml HOST, then fw-wizard prove --nmap scan.xml.',
		],
	},
	{
		title: 'BOOT',
		paragraphs: [
			'Confirming a change writes the rules of both families into one script, which a service loads before the network comes up (systemd, OpenRC, sysvinit) or ifupdown does. --boot overrides what is detected. Where netfilter-persistent or another service loads rules too, those of fw-wizard are loaded after it, and again when it restarts (systemd).',
			'Rules that do not load completely, and a damaged script, are replaced by the floor: answers, ICMP, loopback, DHCP, the openings without anything optional, the verdict. Of a floor that does not load, the rules that iptables takes are loaded, and DROP. Each step down is printed, and makes the service fail. A lock of iptables that another program holds is waited for.',
			'After a boot the watch looks each second for 3 minutes, then every 2 s, and loads the rules again where their chains or jumps are gone: three times within ten minutes at most. After that it looks every 5 minutes, and reports: in the journal, at logins (pam_motd) and in fw-wizard check. With fw-wizard watch on --repair it loads the rules again at any time.',
			`The program of watch on --notify gets one object of JSON on its standard input, while something is wrong or when rules were loaded again: what (drift or repaired), time, host, and the lists drift and repaired, in the words of fw-wizard check. It is run without a shell and without arguments, for at most 30 s, once an hour for the same finding. The file of --textfile has the metrics fw_wizard_active, _open_ports, _blocked_packets_total, _drift, _repairs_total, _next_boot_ready, _last_look_timestamp_seconds, and of the last check and proof when it was and whether all was well. Messages in the journal have the IDs ${MESSAGE_IDS.drift} (drift), ${MESSAGE_IDS.repaired} (repaired), ${MESSAGE_IDS.restored} (all well again), ${MESSAGE_IDS.notify} (the program of --notify cannot be run, or failed): journalctl MESSAGE_ID=... sh ${WATCH_FILE} look looks at once, without Node, and ends with 1 while something is wrong.`,
			'NixOS, OpenWrt, WSL 1, a root in memory and a container without CAP_NET_ADMIN are refused, with the rules in print.',
		],
	},
	{
		title: 'SEVERAL HOSTS',
		paragraphs: [
			'fw-wizard report --fleet reads what fw-wizard status --json, check --json or report --json printed on other hosts, or the script of fw-wizard export shell, or what the role of fw-wizard export ansible wrote to fw_wizard_status_dir, without root: HOST.json, HOST.status.json and HOST.check.json, or a list of objects that name their host. It merges them into one report, and ends with 1 where something is wrong on a host or its file cannot be read.',
			'--textfiles FOLDER writes HOST.prom for the textfile collector of node_exporter, with the metrics fw_wizard_host_known, _problems, _active, _openings, _next_boot_ready and _last_check_timestamp_seconds, each with the label host. Files of other programs are not replaced.',
		],
	},
	{
		title: 'CHECKS',
		paragraphs: [
			'fw-wizard check verifies that the running rules match the policy in both families; that no rule of another program opens or closes a port against the policy; that script and files are intact and writable by root alone; that the service is enabled, valid and in no cycle of the boot order; that the boot loads the same rules, tried in a namespace with packets; that nothing else at boot removes them (units, timers, init scripts, rc.local, cron, scripts of ifupdown, NetworkManager, dhclient, pppd, libvirt, udev, wg-quick, openvpn, each named with file and line); the same backend; the helpers; what the watch found; and, after a boot, that all of it has survived.',
		],
	},
];
