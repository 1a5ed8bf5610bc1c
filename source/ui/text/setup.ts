import {groupBy} from '../../lib/group-by.ts';
import {shortOpening} from '../../policy/opening.ts';
import type {Verdict} from '../../policy/policy.ts';
import {covers} from '../../policy/port-openings.ts';
import {openingFor} from '../../ruleset/lockout.ts';
import {audienceOf} from '../../services/public-ports.ts';
import {helpersOffered, mustDecide} from '../state/asked-steps.ts';
import type {PortRow} from '../state/port-rows.ts';
import {rowsOf} from '../state/ports.ts';
import {publicPurpose} from '../state/published.ts';
import {portsOf} from '../state/row-openings.ts';
import type {Flow} from '../state/state.ts';
import {screenReader, type Tone} from '../theme.ts';
import {publishers} from './published.ts';
import {type Decided, isOpen, openingOf, serverOf} from './served.ts';
import {ROLE_TEXTS} from './texts.ts';
import {type Line, lowerFirst, wrapLines} from './wrap.ts';

/** A line of the setup: what is chosen, and why. */
type Entry = {
	readonly label: string;
	readonly what: string;
	/** The program or the container behind ports. */
	readonly who?: string;
	readonly why: string;
	readonly tone?: Tone;
};

const LABEL_COLUMNS = 10;
const MOST_WHAT = 24;
const MOST_WHO = 22;

const VERDICT_EFFECT: Readonly<Record<Verdict, readonly [string, string]>> = {
	reject: ['Reject', 'blocked clients learn at once that the port is closed'],
	reset: ['Reset', 'blocked clients see a port on which nothing listens'],
	drop: ['Drop', 'blocked clients get no answer, and wait'],
};

/**
 * The whole setup that would be applied, with a reason for each answer, in lines of at most `width`
 * columns: what is open and closed on one line a service, or, where that needs more than `room` lines,
 * without the reasons.
 */
export function setupLines(flow: Flow, width: number, room: number): readonly Line[] {
	const entries = entriesOf(flow);
	const title: Line = {
		text: flow.roleChosen || flow.openingsChosen ? 'Your setup' : 'Recommended',
		tone: 'strong',
	};
	const long = [title, ...columnsOf(entries, width)];
	return long.length <= room ? long : [title, ...columnsOf(shorten(entries), width)];
}

function entriesOf(flow: Flow): readonly Entry[] {
	const {policy, known} = flow;
	const {value: recommendation} = known.recommendation;
	const [effect, meaning] = VERDICT_EFFECT[policy.verdict];
	const {open, closed} = servedOf(flow);
	return [
		...existingOf(flow),
		{
			label: 'Role',
			what: ROLE_TEXTS[policy.role].label,
			why:
				recommendation === undefined
					? 'what listens could not be detected'
					: recommendation.role === policy.role
						? recommendation.reason
						: 'as you chose',
		},
		{label: 'Blocked', what: effect, why: `${meaning}${policy.log ? '; logged' : ''}`},
		helpersOf(flow),
		...(open.length > 0
			? open
			: [{label: 'Open', what: 'nothing', why: 'no port of this machine', tone: 'plain' as const}]),
		...closed,
	];
}

/** What happens to existing rules of other programs, where there are any. */
function existingOf(flow: Flow): readonly Entry[] {
	const {value: choices = []} = flow.known.choices;
	const [kept] = choices.filter(({byDefault}) => byDefault);
	const chosen = choices.find(({existing}) => existing === flow.existing);
	const label = 'Rules';
	return choices.length === 0
		? []
		: chosen !== undefined
			? [{label, what: chosen.label, why: 'as you chose'}]
			: kept !== undefined && !mustDecide(flow)
				? [{label, what: kept.label, why: lowerFirst(kept.reason ?? '')}]
				: [
						{
							...{label, what: 'to decide', tone: 'attention' as const},
							why: 'there are rules already: you are asked about them next',
						},
					];
}

function helpersOf(flow: Flow): Entry {
	const {helpers} = flow.policy;
	const offered = helpersOffered(flow);
	return {
		label: 'Helpers',
		what: helpers.length === 0 ? 'none' : helpers.join(', '),
		why:
			helpers.length > 0 || flow.asksHelpers === 'always'
				? 'as you chose'
				: offered.length > 0
					? `${offered.join(', ')} may need one: key h`
					: 'no FTP, SIP or PPTP in use',
	};
}

/** What something serves for others, and whether it is open. */
type Served = Required<Pick<Entry, 'what' | 'who' | 'why' | 'tone'>> & {readonly open: boolean};

function servedOf(flow: Flow): {
	readonly open: readonly Entry[];
	readonly closed: readonly Entry[];
} {
	const served = rowsOf(flow).flatMap((row) => servedBy(row, flow) ?? []);
	const entriesFor = (open: boolean) =>
		groupBy(
			served.filter((one) => one.open === open),
			({who, why, tone}) => JSON.stringify([who, why, tone]),
		).map((group): Entry => {
			const what = joinPorts(group.map((one) => one.what));
			return {...group[0], label: open ? 'Open' : 'Closed', what};
		});
	return {open: entriesFor(true), closed: entriesFor(false)};
}

/** `80, 443/tcp, 443/udp` */
function joinPorts(texts: readonly string[]): string {
	const partsOf = (text: string) => /^([\d-]+)\/(\w+)$/.exec(text) ?? [text, text, ''];
	return groupBy(texts, (text) => partsOf(text)[2] || text)
		.map((same) => {
			const [, , protocol] = partsOf(same[0]);
			return `${same.map((text) => partsOf(text)[1]).join(', ')}${protocol && `/${protocol}`}`;
		})
		.join(', ');
}

/** What a line of Ports means for others; undefined where no opening decides about it. */
function servedBy(row: PortRow, flow: Flow): Served | undefined {
	if (row.kind === 'loopback' || row.kind === 'publishing') {
		return undefined;
	}

	const left = row.kind === 'published' && !row.governed;
	const open = left || isOpen(row);
	return row.kind === 'inside' && !open
		? undefined
		: {
				...{what: openText(row), who: serverOf(row), why: whyOf(row, flow), open},
				tone: left ? 'attention' : open ? 'good' : 'plain',
			};
}

/** The port, and from where it is open where that is not from everywhere. */
function openText(row: Decided): string {
	const [only, ...others] = row.kind === 'opening' ? [] : row.openings;
	const ports = portsOf(row);
	return ports !== undefined && only?.kind === 'port' && others.length === 0
		? shortOpening({...only, ...ports})
		: openingOf(row);
}

/** Why it is open or closed. */
function whyOf(row: Decided, {access, policy}: Flow): string {
	switch (row.kind) {
		case 'listener': {
			const audiences = row.listeners.map(audienceOf);
			const meant = audiences.find(({everybody}) => everybody);
			return access.some((port) => covers(openingFor(port), row.port))
				? 'you are connected through it'
				: policy.role === 'workstation' && row.openings.length === 0 && meant !== undefined
					? 'a workstation serves nobody'
					: ((meant ?? audiences[0])?.why ?? '');
		}

		case 'published': {
			const by = publishers(row.published.map((one) => one.by));
			return row.governed
				? `${by}; ${publicPurpose(row.ports) ?? 'rarely public'}`
				: `left to ${by}`;
		}

		case 'inside':
			return 'for guests and containers';
		default:
			return '';
	}
}

/**
 * The answers without their reasons, and what is open, and what is closed, in one entry each:
 * `5432/tcp postgresql, 6379/tcp redis`.
 */
function shorten(entries: readonly Entry[]): readonly Entry[] {
	return groupBy(entries, ({label}) => label).flatMap((group): readonly Entry[] => {
		const [first] = group;
		return group.length === 1
			? group.map((entry) => (entry.tone === 'attention' ? entry : {...entry, why: ''}))
			: [
					{
						...{label: first.label, why: ''},
						what: group.map(({what, who = ''}) => [what, who].join(' ').trim()).join(', '),
						tone: first.label === 'Open' ? 'good' : 'plain',
					},
				];
	});
}

/** The entries in columns; where these have no room, what follows the label is one text. */
function columnsOf(entries: readonly Entry[], width: number): readonly Line[] {
	const whats = Math.min(MOST_WHAT, Math.max(0, ...entries.map(({what}) => what.length)));
	/** Ports have programs between them and their reasons. */
	const whos = Math.min(MOST_WHO, Math.max(0, ...entries.map(({who = ''}) => who.length)));
	const isWide = width >= 72 && !screenReader;
	let before = '';
	return entries.flatMap(({label, what, who, why, tone = 'plain'}) => {
		const named = label === before ? '' : label;
		before = label;
		const text = !isWide
			? [what, [who, why].filter(Boolean).join(': ')]
					.filter(Boolean)
					.join(screenReader ? ', ' : '  ')
			: `${what.padEnd(whats)}  ${who === undefined ? why : `${who.padEnd(whos)}  ${why}`}`;
		const prefix = screenReader ? `${label}: ` : `  ${named}`.padEnd(LABEL_COLUMNS);
		return wrapLines(text.trimEnd(), width, tone, prefix);
	});
}
