import type {Family} from '../lib/network.ts';
import type {Protocol} from '../policy/services.ts';

/** A socket that packets from others can reach: a listening TCP socket, or a bound UDP socket without a peer. */
export type Listener = {
	readonly protocol: Protocol;
	/** In its canonical spelling; `0.0.0.0` or `::` for all addresses. */
	readonly address: string;
	/** The families that it receives: `::` receives both unless IPV6_V6ONLY is set on it (ipv6(7)). */
	readonly families: readonly Family[];
	/** fw-wizard could not detect whether IPV6_V6ONLY is set; `families` then has both. */
	readonly ipv4Unknown?: true | undefined;
	readonly port: number;
	/** The interface that it is bound to. */
	readonly on?: string | undefined;
	/** Whether packets from other machines can come to its address. */
	readonly reach: 'outside' | 'loopback';
	/** The name of the process, at most 15 characters, safe to print. */
	readonly process?: string | undefined;
	readonly pid?: number | undefined;
	/** The user that the process runs as, safe to print. */
	readonly user?: string | undefined;
	/** The service that it belongs to: nginx.service. */
	readonly unit?: string | undefined;
	/** The user whose own service manager runs `unit`. Absent where the system's manager runs it. */
	readonly unitOf?: string | undefined;
	/** The socket unit that starts the service: ssh.socket. */
	readonly socketUnit?: string | undefined;
	/** `socketUnit` has opened this socket, and not the service. */
	readonly bySocket?: true | undefined;
	/** The program that runs the container which the process is in, or listens for: Docker. */
	readonly container?: string | undefined;
	/** No process has it: the kernel opened it, for WireGuard or the NFS server. */
	readonly kernel?: true | undefined;
};

/** The program behind a listener: its process, or the kernel. Undefined where it is not known. */
export function programOf({
	process,
	kernel,
}: Pick<Listener, 'process' | 'kernel'>): string | undefined {
	return process ?? (kernel ? 'the kernel' : undefined);
}

/** The same with the container that it serves: `docker-proxy, for a container of Docker`. */
export function describeProgram(listener: Listener): string | undefined {
	const name = programOf(listener);
	return listener.container === undefined
		? name
		: `${name ?? 'a program'}, for a container of ${listener.container}`;
}

/** The programs behind listeners, each once. */
export function describePrograms(listeners: readonly Listener[]): readonly string[] {
	return [...new Set(listeners.map((one) => describeProgram(one) ?? 'unknown program'))];
}
