import type {KnownProgram} from './known-program.ts';

/**
 * Kubernetes and the networks of its pods. Names are from the sources of kube-proxy, kubelet, Felix
 * (Calico), Cilium and flannel. Their rules are written anew every few seconds or minutes, or when the
 * program is restarted; until then pods are cut off.
 */
export const CLUSTER_PROGRAMS: readonly KnownProgram[] = [
	{
		name: 'Kubernetes',
		kind: 'cluster',
		chains: /^KUBE-/,
		tables: /^(?:ip6?|inet) kube-proxy$/,
		interfaces: /^kube-/,
		processes: ['kubelet', 'kubelite', 'k3s-server', 'k3s-agent'],
		controlGroups: /kubepods/,
		needsFilter: true,
		does: 'Kubernetes forwards packets to its services and pods by rules of its own',
		means:
			'Services on node ports do not all go through INPUT, and the nodes need ports open to each other (10250/tcp and those of its network)',
		breaks: 'Kubernetes: services and pods are cut off until kube-proxy has made its rules again',
	},
	{
		name: 'Calico',
		kind: 'cluster',
		chains: /^(?:cali|felix)-/,
		tables: /^(?:ip6?|inet) calico$/,
		rules: /--comment "cali:/,
		interfaces: /^(?:cali|vxlan(?:-v6)?\.calico$|wireguard\.cali$|wg-v6\.cali$)/,
		processes: ['calico-node'],
		needsFilter: true,
		does: 'Calico filters and forwards the packets of pods by rules of its own',
		means:
			'Its rules stay, and are evaluated first; the nodes need ports open to each other (179/tcp, or 4789/udp for VXLAN)',
		breaks: 'Calico: pods are cut off until Felix has made its rules again',
	},
	{
		name: 'Cilium',
		kind: 'cluster',
		chains: /^(?:OLD_)?CILIUM_/,
		rules: /--comment "cilium(?:-feeder)?:/,
		interfaces: /^(?:cilium|lxc_health$|lxc[\da-f]{12}$)/,
		processes: ['cilium-agent'],
		needsFilter: true,
		does: 'Cilium filters and forwards the packets of pods, mostly by BPF programs that iptables does not show',
		means:
			'Its rules stay; the nodes need ports open to each other (4240/tcp, and 8472/udp for VXLAN)',
		breaks: 'Cilium: pods lose a part of their network until its agent is restarted',
	},
	{
		name: 'flannel',
		kind: 'cluster',
		chains: /^FLANNEL-/,
		tables: /^ip6? flannel-ipv[46]$/,
		rules: /--comment "flanneld /,
		interfaces: /^flannel/,
		processes: ['flanneld'],
		needsFilter: true,
		does: 'flannel connects the pods of all nodes by rules of its own',
		means: 'Its rules stay; the nodes need its port open to each other (8472/udp for VXLAN)',
		breaks: 'flannel: pods are cut off from other nodes until it has made its rules again',
	},
];
