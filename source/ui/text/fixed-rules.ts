import {countOf} from '../../lib/format-number.ts';
import {FAMILIES} from '../../lib/network.ts';
import type {MarkedRow, Row} from '../../ruleset/merge-families.ts';
import type {Part} from '../../ruleset/model.ts';

/** A rule of ours, with its mark where it has one. */
type OwnRow = Pick<Row, 'own' | 'rule' | 'families'> & Partial<Pick<MarkedRow, 'mark'>>;

/** What is there whatever is chosen, in words: rules that nobody needs to read one by one. */
const FIXED: Readonly<Partial<Record<Part, string>>> = {
	solicited: 'answers',
	icmp: 'ICMP',
	loopback: 'loopback',
	invalid: 'INVALID',
	dhcp: 'DHCP',
	inside: 'containers',
	direct: 'addresses of containers',
};

/** Whether a rule is the same for every policy. */
export function isFixed({rule}: OwnRow): boolean {
	return rule.reason !== undefined && FIXED[rule.reason.part] !== undefined;
}

/** Fixed rules that follow one another in a chain, in one group; each other rule in a group of its own. */
export function groupFixed<T extends OwnRow>(rows: readonly T[]): ReadonlyArray<readonly T[]> {
	const groups: T[][] = [];
	for (const row of rows) {
		const last = groups.at(-1) ?? [];
		const [first] = last;
		const joins =
			first !== undefined &&
			isFixed(row) &&
			isFixed(first) &&
			first.own.name === row.own.name &&
			first.mark === row.mark;
		if (joins) {
			last.push(row);
		} else {
			groups.push([row]);
		}
	}

	return groups;
}

/** `5 fixed rules: answers, ICMP, loopback, INVALID, DHCP`: as many as one family has at most. */
export function describeFixed(rows: readonly OwnRow[]): string {
	const names = new Set(rows.map(({rule}) => FIXED[rule.reason?.part ?? 'jump'] ?? ''));
	const counts = FAMILIES.map(
		(family) => rows.filter(({families}) => families.includes(family)).length,
	);
	return `${countOf(Math.max(...counts), 'fixed rule')}: ${[...names].join(', ')}`;
}
