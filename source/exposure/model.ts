import type {Family} from '../lib/network.ts';
import type {PortRange} from '../lib/port-ranges.ts';
import type {Protocol} from '../policy/services.ts';

/** Whether a new connection gets through. */
export type Reach = 'open' | 'shut' | 'unknown';

/** The same in words for the screen. */
export const REACH_WORDS: Readonly<Record<Reach, string>> = {
	open: 'open',
	shut: 'blocked',
	unknown: 'unknown',
};

/** Ports whose packets have the same origin, path and fate. */
export type Exposed = {
	readonly protocol: Protocol;
	/** One port where something listens, otherwise any number. */
	readonly ports: readonly PortRange[];
	readonly families: readonly Family[];
	/** 'anywhere', 'anywhere on eth1', '10.0.0.0/8' */
	readonly from: string;
	/** The path of packets: published ports of containers bypass INPUT, loopback cannot be reached. */
	readonly through: 'INPUT' | 'a container' | 'loopback';
	/** Whether a program listens there, or the port is forwarded to a container. */
	readonly listens: boolean;
	/** The program that listens, printable; absent where it is not known. */
	readonly process?: string;
	/** Where the packets are forwarded to, `172.17.0.2:80`, and by what: Docker, podman, a DNAT rule. */
	readonly to?: string;
	readonly by?: string;
	/** The containers that it is forwarded to, where their names are known. */
	readonly container?: string;
	readonly before: Reach;
	/** Absent where no policy is given. */
	readonly after?: Reach;
};

/** A protocol without ports, or several of the same fate that nothing here receives. */
export type ExposedProtocol = Pick<Exposed, 'families' | 'from' | 'before' | 'after'> & {
	/** `VRRP`; `ESP, GRE and 120 more` */
	readonly name: string;
	/** What receives it: `keepalived`; absent where nothing is known to. */
	readonly by?: string;
};

/** What the outside can reach. */
export type Exposure = {
	/** Ports with a listener first, by number; then ports that are open without a listener. */
	readonly rows: readonly Exposed[];
	/** Protocols without ports that something here receives, or that strangers can send. */
	readonly protocols?: readonly ExposedProtocol[];
	/** Measured by packets to a copy of the machine; otherwise derived from the rules that could be read. */
	readonly tried: boolean;
	/** What could not be read or evaluated. One sentence each. */
	readonly unread: readonly string[];
};
