import type {Family} from '../lib/network.ts';
import type {PortRange} from '../lib/port-ranges.ts';
import type {Protocol} from '../policy/services.ts';

/** Whether a new connection gets through. */
export type Reach = 'open' | 'shut' | 'unknown';

/** Ports that are alike: where packets for them come from and go to, and whether they get there. */
export type Exposed = {
	readonly protocol: Protocol;
	/** One for what listens. */
	readonly ports: readonly PortRange[];
	readonly families: readonly Family[];
	/** 'anywhere', 'anywhere on eth1', '10.0.0.0/8' */
	readonly from: string;
	/** The way that packets take: containers' published ports never see INPUT, loopback is out of reach. */
	readonly through: 'INPUT' | 'a container' | 'loopback';
	/** Whether something listens there, or a container stands behind it. */
	readonly listens: boolean;
	/** What listens, printable; absent where that is not known. */
	readonly process?: string;
	/** Where a container's port leads: `172.17.0.2:80`, and who says so: Docker, podman, a DNAT rule. */
	readonly to?: string;
	readonly by?: string;
	readonly before: Reach;
	/** Absent where no policy is given. */
	readonly after?: Reach;
};

/** What the outside can reach. */
export type Exposure = {
	/** What listens first, by port; then ports that are open without a listener. */
	readonly rows: readonly Exposed[];
	/** By packets to a copy of the machine, or derived from the rules that could be read. */
	readonly tried: boolean;
	/** What could not be read or judged, one sentence each. */
	readonly unread: readonly string[];
};
