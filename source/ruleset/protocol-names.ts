/**
 * Names of IP protocols by their numbers, from 0 on, with the other names that files /etc/protocols
 * have: those of Debian (netbase), Red Hat (setup) and Arch (iana-etc). iptables-save prints the name
 * of the machine's own file, and the number where that file has none.
 */
const NAMES = `
hopopt icmp igmp ggp ipencap/ipv4 st tcp cbt egp igp bbn-rcc/bbn-rcc-mon nvp/nvp-ii pup argus emcon xnet
chaos udp mux dcn/dcn-meas hmp prm xns-idp trunk-1 trunk-2 leaf-1 leaf-2 rdp irtp iso-tp4 netblt mfe-nsp
merit-inp dccp 3pc idpr xtp ddp idpr-cmtp tp++ il ipv6 sdrp ipv6-route ipv6-frag idrp rsvp gre dsr/mhrp bna
esp/ipv6-crypt ah/ipv6-auth i-nlsp swipe narp mobile/min-ipv4 tlsp skip ipv6-icmp/icmpv6 ipv6-nonxt ipv6-opts
- cftp - sat-expak kryptolan rvd ippc - sat-mon visa ipcv/ipcu cpnx cphb/rspf wsn pvp br-sat-mon sun-nd
wb-mon wb-expak iso-ip vmtp secure-vmtp vines ttp/iptm nsfnet-igp dgp tcf eigrp ospf/ospfigp/ospfv2
sprite-rpc larp mtp ax.25 ipip micp scc-sp etherip encap - gmtp ifmp pnni pim aris scps qnx a/n ipcomp snp
compaq-peer ipx-in-ip vrrp/carp pgm - l2tp ddx iatp stp srp uti smp sm ptp isis/isis-over-ipv4 fire crtp
crudp/crdup sscopmce iplt sps pipe sctp fc rsvp-e2e-ignore mobility-header/ipv6-mh/mh udplite mpls-in-ip
manet hip shim6 wesp rohc ethernet aggfrag nsh`;

/** Names that are printed by iptables itself, so that no file is needed to read them back (xtables_chain_protos). */
const BUILT_IN: ReadonlySet<string> = new Set([
	'tcp',
	'udp',
	'icmp',
	'ipv6-icmp',
	'esp',
	'ah',
	'sctp',
]);
/** Names that a rule set has beside these. Every other protocol is its number: names differ by machine. */
const OTHERS: ReadonlySet<string> = new Set(['igmp', 'gre', 'ospf', 'vrrp']);

/** Names that contain a slash, by which the list separates names of one number. */
const WITH_SLASH = /^(?:a\/n)$/;

let numbers: ReadonlyMap<string, number> | undefined;

/** Made when the first rule is read, and not when the program starts. */
function numbersByName(): ReadonlyMap<string, number> {
	numbers ??= new Map(
		NAMES.trim()
			.split(/\s+/)
			.flatMap((entry, number) =>
				(WITH_SLASH.test(entry) ? [entry] : entry.split('/')).map(
					(name) => [name, number] as const,
				),
			)
			.filter(([name]) => name !== '-'),
	);
	return numbers;
}

/** The number of a protocol, from any of its names or from the number as text; undefined for other words. */
export function protocolNumberOf(word: string): number | undefined {
	return /^\d{1,3}$/.test(word) ? Number(word) : numbersByName().get(word.toLowerCase());
}

/** The one spelling of a protocol in a rule set, from its number. */
export function protocolOfNumber(number: number): string {
	for (const [name, candidate] of numbersByName()) {
		if (candidate === number && (BUILT_IN.has(name) || OTHERS.has(name))) {
			return name;
		}
	}

	return `${number}`;
}

/** The one spelling of a protocol in a rule set, from what a program printed. */
export function canonicalProtocol(word: string): string {
	if (BUILT_IN.has(word)) {
		return word;
	}

	const number = protocolNumberOf(word);
	return number === undefined ? word : protocolOfNumber(number);
}

/** A protocol of a rule set as iptables reads it on every machine, also without /etc/protocols. */
export function protocolWord(protocol: string): string {
	return BUILT_IN.has(protocol) ? protocol : `${protocolNumberOf(protocol) ?? protocol}`;
}
