import type {Host} from '../lab/namespaces.ts';

export type Saves = {readonly ipv4: string; readonly ipv6: string};

/** All rules of both families, as the machine's own iptables prints them, less dates and counters. */
export async function readSaves(host: Host): Promise<Saves> {
	return {
		ipv4: plain(await host.must('iptables-save', [])),
		ipv6: plain(await host.must('ip6tables-save', [])),
	};
}

/** The lines of a save that are not ours: neither in our chains, nor a jump to one, nor its name. */
export function foreignLines(save: string): readonly string[] {
	const lines = save.split('\n').filter((line) => !line.includes('FW-WIZARD-'));
	return filledTables(lines.join('\n')).split('\n');
}

/** The lines of a save that are ours. */
export function ownLines(save: string): readonly string[] {
	return save.split('\n').filter((line) => line.includes('FW-WIZARD-'));
}

/** A save less its comments and counters. */
export function plain(text: string): string {
	return text.replace(/^#.*\n/gm, '').replace(/\[\d+:\d+\]/g, '[0:0]');
}

/** Tables come into being when they are first used, and stay: one without a rule says nothing. */
export function withoutEmptyTables(saves: Saves): Saves {
	return {ipv4: filledTables(saves.ipv4), ipv6: filledTables(saves.ipv6)};
}

function filledTables(text: string): string {
	return text.replace(/^\*\w+\n(:\w+ ACCEPT \[0:0\]\n)*COMMIT\n/gm, '');
}
