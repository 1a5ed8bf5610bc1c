import type {Host} from './namespaces.ts';

/** Where a file of a test machine's own /etc or /var/lib is to be found from outside. */
export function inView(host: Host, file: string): string {
	const pid = /--mount=\/proc\/(\d+)\/ns/.exec(host.enter.join(' '))?.[1];
	if (pid === undefined) {
		// Otherwise it would be the machine's own.
		throw new Error(`${host.name} has no view of its own`);
	}

	return `/proc/${pid}/root${file}`;
}
