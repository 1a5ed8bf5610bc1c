import type {ApplyPlan} from '../../app/plan-apply.ts';
import {joinWords} from '../../lib/list.ts';
import {adviseOpenings} from '../../policy/advise-openings.ts';
import {isDiscovery, type Opening, shortOpening, shortSources} from '../../policy/opening.ts';
import {describeClosed} from '../../ruleset/describe-lockout.ts';
import type {AccessPort} from '../../ruleset/lockout.ts';
import type {PortRow} from '../state/port-rows.ts';
import {addEntered, rowsOf} from '../state/ports.ts';
import {withoutClients} from '../state/row-openings.ts';
import type {Flow} from '../state/state.ts';
import type {HostView} from '../steps/step-props.ts';
import {rowNote} from './ports.ts';
import type {Line} from './wrap.ts';

const EXAMPLES =
	'22/tcp, 53, ssh, 8000-8010/tcp, 22/tcp from 10.0.0.0/8, 5432/tcp on wg0, 22/tcp limit, mdns, ssdp, vrrp';

type Noted = Pick<Flow, 'field' | 'entered' | 'policy' | 'known' | 'focus' | 'narrowed'>;

/** The note under the field of Ports: about its text, about what was narrowed, or about the focused line. */
export function portNote(
	flow: Noted,
	machine: Pick<HostView, 'interfaceNames' | 'remoteClient'>,
	{lockouts}: Pick<ApplyPlan, 'lockouts'>,
): Line {
	const row = rowsOf(flow)[flow.focus];
	if (flow.field.trim() !== '') {
		return describeField(flow, machine.interfaceNames);
	}

	const narrowed = flow.narrowed.map((opening) => describeNarrowed(opening, flow.policy.openings));
	const {text, tone} =
		narrowed.length > 0
			? {text: `${narrowed.join('. ')}.`, tone: 'attention' as const}
			: row === undefined
				? {text: EXAMPLES, tone: 'muted' as const}
				: describeRow(row, machine);
	return lockouts.length === 0 ||
		(row !== undefined && narrowed.length === 0 && !lockouts.some((port) => isOf(row, port)))
		? {text, tone}
		: {
				text: `${row === undefined ? `You would be locked out: ${describeClosed(lockouts)} for you` : 'You are connected through it: closing it locks you out'}. ${text}`,
				tone: 'danger',
			};
}

/** The note about a line. If this user is connected through the port, it says so first. */
function describeRow(row: PortRow, {remoteClient}: Pick<HostView, 'remoteClient'>): Line {
	const mine = remoteClient?.accessPorts.some((port) => isOf(row, port)) ?? false;
	return {text: `${mine ? 'You are connected through it. ' : ''}${rowNote(row)}`, tone: 'muted'};
}

function isOf(row: PortRow, {protocol, first, last}: AccessPort): boolean {
	return (
		row.kind === 'listener' &&
		row.port.protocol === protocol &&
		first <= row.port.port &&
		row.port.port <= last
	);
}

/** What Enter would do with the text in the field, or what is wrong with it. */
function describeField(flow: Noted, interfaceNames: HostView['interfaceNames']): Line {
	const {error} = flow.entered;
	if (error !== undefined) {
		return {text: `${error.message}. ${error.hint}`, tone: 'attention'};
	}

	const {openings: before} = flow.policy;
	const {fresh, narrower, idle} = addEntered(flow);
	const known = new Set(adviseOpenings(before, interfaceNames));
	const advice = adviseOpenings([...before, ...fresh, ...narrower], interfaceNames).filter(
		(text) => !known.has(text),
	);
	const list = (openings: readonly Opening[]) => openings.map(shortOpening).join(', ');
	const parts = [
		...(narrower.length > 0 ? [`Enter narrows what is open now: only ${list(narrower)}`] : []),
		...(fresh.length > 0 ? [`Enter opens ${list(fresh)}`] : []),
		...(idle.length > 0 ? [`Open already: ${list(idle)}`] : []),
	];
	return {
		text: advice.length > 0 ? [`${parts.join('. ')}.`, ...advice].join(' ') : parts.join('. '),
		tone: narrower.length > 0 || advice.length > 0 ? 'attention' : 'good',
	};
}

/** `22/tcp is open from 10.0.0.0/8 only now`, of all that is open of the port then. */
function describeNarrowed(narrower: Opening, openings: readonly Opening[]): string {
	const subject = subjectOf(narrower);
	const then = openings.filter((opening) => subjectOf(opening) === subject);
	const ways = then.map((opening) => [
		...(isDiscovery(opening) || opening.from === undefined
			? []
			: [`from ${shortSources(opening.from)}`]),
		...(opening.on === undefined ? [] : [`on ${opening.on}`]),
		...(opening.kind === 'port' && opening.limit ? ['with a limit'] : []),
	]);
	return `${subject} is open ${joinWords(ways.map((words) => words.join(' ')))} only now`;
}

/** The ports or the protocol of an opening: `22/tcp`. */
function subjectOf(opening: Opening): string {
	return shortOpening(withoutClients(opening)).replace(/ limit$/, '');
}
