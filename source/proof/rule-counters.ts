import type {Namespace} from '../host/netns.ts';
import {OWN_PREFIX} from '../ruleset/model.ts';

/** The rule that decides on a packet. */
export type ResponsibleRule = {
	/** As iptables-save or nft(8) prints it; for a policy `:INPUT DROP`. */
	readonly text: string;
	/** `filter`, `filter, legacy backend`, `inet filter, chain input` */
	readonly place: string;
	/** The table, as nft(8) names it where it is a table of nftables: `inet filter`. */
	readonly table: string;
	readonly chain: string;
	/** The rule is in a chain of fw-wizard, in the backend that is in use. */
	readonly own: boolean;
	/** The number of a rule of the mangle table in a chain of fw-wizard: it counts from 1, as iptables does. */
	readonly index?: number;
};

/** A rule of iptables that a packet matched. */
export type MatchedRule = ResponsibleRule & {readonly target: string};

type CountedRule = MatchedRule & {readonly packets: number};

/** All rules and policies of a program's tables, with how many packets they have matched. */
export async function readCounters(
	machine: Pick<Namespace, 'run'>,
	restore: string,
): Promise<readonly CountedRule[]> {
	const {stdout} = await machine.run(restore.replace(/restore$/, 'save'), ['-c'], {
		timeout: 30_000,
	});
	const backend = /-(nft|legacy)-restore$/.exec(restore)?.[1];
	let table = '';
	let [last, index] = ['', 0];
	return stdout.split('\n').flatMap((line): readonly CountedRule[] => {
		if (line.startsWith('*')) {
			table = line.slice(1);
			last = '';
		}

		const [, chain = '', policy, count] = /^:(\S+) (ACCEPT|DROP) \[(\d+):/.exec(line) ?? [];
		const [, packets, text] = /^\[(\d+):\d+\] (-A .*)$/.exec(line) ?? [];
		const place = backend === undefined ? table : `${table}, ${backend} backend`;
		if (policy !== undefined) {
			const found = {text: `:${chain} ${policy}`, chain, target: policy, own: false};
			const decides = policy === 'DROP' || chain === 'INPUT';
			return decides ? [{...found, place, table, packets: Number(count)}] : [];
		}

		if (text === undefined) {
			return [];
		}

		const [, name = ''] = text.split(' ');
		index = name === last ? index + 1 : 1;
		last = name;
		const isOwn = backend === undefined && name.startsWith(OWN_PREFIX);
		const target = / -[jg] (\S+)(?: .*)?$/.exec(withoutQuotes(text))?.[1] ?? '';
		return [
			{
				...{text, place, table, chain: name, target, packets: Number(packets)},
				own: isOwn || (backend === undefined && target.startsWith(OWN_PREFIX)),
				...(isOwn && table === 'mangle' ? {index} : {}),
			},
		];
	});
}

/** A comment or a log prefix may hold the words of a target. */
function withoutQuotes(text: string): string {
	return text.replaceAll(/"(?:\\.|[^"\\])*"/g, '""');
}
