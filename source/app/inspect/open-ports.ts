import os from 'node:os';
import {natOfIptables} from '../../existing/nat/parse-iptables.ts';
import {type Published, publishedIn} from '../../existing/nat/published-ports.ts';
import type {Saved} from '../../host/netfilter/iptables.ts';
import type {Family} from '../../lib/network.ts';
import {withoutEnded} from '../../policy/ending.ts';
import type {Opening} from '../../policy/opening.ts';
import type {Policy} from '../../policy/policy.ts';
import {covers, touches} from '../../policy/port-openings.ts';
import {describeProgram, describePrograms, type Listener} from '../../services/listener.ts';

/** An opening of the policy, and the programs that listen on one of its ports; safe to print. */
export type OpenRow = {readonly opening: Opening; readonly programs: readonly string[]};

/** A port on which a program waits for others, and which the policy does not open. */
type BlockedRow = {
	readonly protocol: Listener['protocol'];
	readonly port: number;
	/** Absent where it is not known. */
	readonly program?: string;
};

export type OpenPorts = {
	readonly open: readonly OpenRow[];
	readonly blocked: readonly BlockedRow[];
};

/** Who listens on the ports that the policy opens, and who does on others. */
export function openRows(policy: Policy | undefined, listeners: readonly Listener[]): OpenPorts {
	const outside = listeners.filter(({reach, ...port}) => reach === 'outside' && !isDhcp(port));
	const openings = withoutEnded(policy?.openings ?? []);
	const blocked = outside
		.filter((listener) => !openings.some((opening) => covers(opening, listener)))
		.map((listener): BlockedRow => {
			const {protocol, port} = listener;
			const program = describeProgram(listener);
			return {protocol, port, ...(program === undefined ? {} : {program})};
		});
	return {
		open: openings.map((opening) => ({
			opening,
			programs: describePrograms(outside.filter((one) => covers(opening, one))),
		})),
		blocked: [...new Map(blocked.map((row) => [JSON.stringify(row), row])).values()],
	};
}

/** A published port, and whether a new connection from outside gets through. */
export type PublishedRow = Pick<Published, 'protocol' | 'address' | 'port' | 'to' | 'by'> & {
	readonly last: number;
	readonly families: readonly Family[];
	/** `policy` where the policy opens it (`open`) or does not; otherwise `program`, as its program makes it. */
	readonly decidedBy: 'policy' | 'program';
	/** Null where its program alone decides. */
	readonly open: boolean | null;
};

/** The ports that rules of nat publish, of the backend in use. */
export function publishedRows(
	saves: readonly Saved[],
	policy: Policy | undefined,
): readonly PublishedRow[] {
	const own = Object.values(os.networkInterfaces()).flatMap((list = []) =>
		list.filter(({internal}) => !internal).map(({address}) => address),
	);
	const rows = saves.flatMap(({rules}) => {
		const table = natOfIptables(rules);
		return table === undefined ? [] : publishedIn(table, own);
	});
	const governed = policy?.published === 'policy';
	const openings = withoutEnded(policy?.openings ?? []);
	return rows.map(({protocol, address, port, last = port, to, by, families}) => ({
		...{protocol, address, port, last, to, by, families},
		decidedBy: governed ? 'policy' : 'program',
		open: governed
			? openings.some((opening) => touches(opening, {protocol, first: port, last}))
			: null,
	}));
}

/** Answers of DHCP servers come through, by a rule of every policy. */
function isDhcp({protocol, port}: Pick<Listener, 'protocol' | 'port'>): boolean {
	return protocol === 'udp' && (port === 68 || port === 546);
}
