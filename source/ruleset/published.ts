import type {Family} from '../policy/network.ts';
import type {Protocol} from '../policy/services.ts';

/** A port of this machine that is forwarded, to a container or another machine: it never meets INPUT. */
export type Published = {
	readonly families: readonly Family[];
	readonly protocol: Protocol;
	/** The address of this machine on which it is published; `0.0.0.0` or `::` for all. */
	readonly address: string;
	readonly port: number;
	/** The last port of a range. */
	readonly last?: number | undefined;
	/** The network that alone is let through, CIDR. */
	readonly from?: string | undefined;
	/** The interface on which alone it is published. */
	readonly on?: string | undefined;
	/** Where it goes, as the rule spells it: `172.17.0.2:80`; safe to print. */
	readonly to: string;
	/** Who has done it: `Docker`, `podman`, `Kubernetes`, …, or `a DNAT rule`. */
	readonly by: string;
};
