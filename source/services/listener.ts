import type {Family} from '../lib/network.ts';
import type {Protocol} from '../policy/services.ts';

/** A socket that waits for others: a listening TCP socket, or a bound UDP socket without a peer. */
export type Listener = {
	readonly protocol: Protocol;
	/** In its canonical spelling; `0.0.0.0` or `::` for all addresses. */
	readonly address: string;
	/** The families that it serves: `::` serves both unless IPV6_V6ONLY is set on it (ipv6(7)). */
	readonly families: readonly Family[];
	/** Whether IPV6_V6ONLY is set could not be found out; `families` then holds both. */
	readonly ipv4Unknown?: true | undefined;
	readonly port: number;
	/** The interface that it is bound to. */
	readonly on?: string | undefined;
	/** Whether packets from other machines come to it, as far as its address says. */
	readonly reach: 'outside' | 'loopback';
	/** The name of the process, at most 15 characters, safe to print. */
	readonly process?: string | undefined;
	readonly pid?: number | undefined;
	/** Whom the process runs as, safe to print. */
	readonly user?: string | undefined;
	/** The service that it belongs to: nginx.service. */
	readonly unit?: string | undefined;
	/** Whose service manager runs `unit`, where it is not the system's but a user's own. */
	readonly unitOf?: string | undefined;
	/** The socket unit that starts the service: ssh.socket. */
	readonly socketUnit?: string | undefined;
	/** `socketUnit` has opened this very socket. */
	readonly bySocket?: true | undefined;
	/** What runs the container that the process lives in, or that it answers for: Docker. */
	readonly container?: string | undefined;
	/** No process has it, but the kernel itself: WireGuard, the NFS server. */
	readonly kernel?: true | undefined;
};
