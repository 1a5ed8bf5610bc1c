import {run} from '../exec/run.ts';

/** What the kernel tells of a socket by netlink, and not in /proc/net. */
export type SocketDetails = {
	/** IPV6_V6ONLY; undefined for an IPv4 socket. */
	readonly ipv6Only?: boolean;
	/** The interface that it is bound to. */
	readonly on?: string;
};

/**
 * Asks ss(8), by inode. Empty where it is not installed, or does not answer in `timeout` ms: then
 * these things are not known.
 */
export async function readSocketDetails(
	timeout: number,
): Promise<ReadonlyMap<string, SocketDetails>> {
	const {status, stdout} = await run('ss', ['-H', '-l', '-n', '-t', '-u', '-e'], {timeout});
	return status === 0 ? parseSocketDetails(stdout) : new Map();
}

/** Reads what `ss -Hlntue` prints: state, two queues, two ends, then `uid:… ino:… sk:… cgroup:… v6only:…`. */
export function parseSocketDetails(text: string): ReadonlyMap<string, SocketDetails> {
	return new Map(
		text.split('\n').flatMap((line) => {
			const [, , , , local = ''] = line.split(/\s+/);
			const inode = / ino:(\d+)/.exec(line)?.[1];
			// The last one: the name of a control group stands before it, and may hold anything.
			const ipv6Only = / v6only:([01])/.exec(line.slice(line.lastIndexOf(' v6only:')))?.[1];
			const on = /%([^:\]]+)\]?:\d+$/.exec(local)?.[1];
			return inode === undefined
				? []
				: [
						[
							inode,
							{
								...(ipv6Only === undefined ? {} : {ipv6Only: ipv6Only === '1'}),
								...(on === undefined ? {} : {on}),
							},
						] as const,
					];
		}),
	);
}
