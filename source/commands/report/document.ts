import {
	describeBoot,
	describeLastCheck,
	describeWatch,
	printTime,
} from '../../app/inspect/describe-status.ts';
import type {Report} from '../../app/inspect/report.ts';
import {REACH_WORDS} from '../../exposure/model.ts';
import {countOf} from '../../lib/format-number.ts';
import {groupBy} from '../../lib/group-by.ts';
import {printNetwork} from '../../lib/network.ts';
import {type Opening, printOpening} from '../../policy/opening.ts';
import {mergeFamilies} from '../../ruleset/merge-families.ts';
import {cellsOf, protocolCells} from '../exposure.ts';
import {type Block, cell, type Document, pairs, text} from './blocks.ts';
import {proofBlocks, verdictOf} from './proof-section.ts';

/** The report, section by section. */
export function documentOf(report: Report): Document {
	return {
		title: `Firewall report: ${report.host}`,
		verdict: report.well
			? {text: 'All well: the firewall is active and does what the policy says.', tone: 'good'}
			: {text: 'Something is wrong: see what is marked as failed or not as chosen.', tone: 'bad'},
		sections: [
			{title: 'Summary', blocks: [summaryTable(report)]},
			{title: 'Policy', blocks: policyBlocks(report)},
			{title: 'Exposure', blocks: exposureBlocks(report)},
			{title: 'Proof', blocks: proofBlocks(report)},
			{title: 'Checklist', blocks: [checklistTable(report)]},
			{title: 'Rules and reasons', blocks: ruleBlocks(report)},
			{title: 'Versions', blocks: [versionTable(report)]},
		],
	};
}

/** A sentence of `status`, as a name and a value: `Next boot: systemd loads the rules`. */
function pairOf(sentence: string): readonly [string, string] {
	const [, name = '', value = ''] = /^([^:]*): (.*)$/.exec(sentence) ?? [];
	return [name, value];
}

function summaryTable({host, time, status, proof}: Report): Block {
	const {active, matches, differences, applied, earlier} = status;
	return pairs([
		['Host', host],
		['Time', printTime(time)],
		[
			'State',
			active !== true
				? cell('inactive', 'bad')
				: matches === true
					? cell('active', 'good')
					: cell(`active, but not as the policy says: ${differences.join('; ')}`, 'bad'),
		],
		...(applied === null
			? []
			: [
					[
						'Applied',
						`change ${applied.id}, ${printTime(applied.time)}, by ${applied.who}`,
					] as const,
				]),
		...earlier.map(
			({by = 'an unknown program', count, family}) =>
				['Evaluated first', `${countOf(count, 'rule')} of ${by} (IPv${family})`] as const,
		),
		...status.beside.map((line) => ['Beside the policy', line] as const),
		pairOf(describeBoot(status.boot)),
		pairOf([describeWatch(status.watch), ...status.watch.open].join(' ')),
		pairOf(describeLastCheck(status.lastCheck)),
		['Last proof', proof === undefined ? 'none' : `${printTime(proof.time)}, ${verdictOf(proof)}`],
	]);
}

function policyBlocks({compiled: {policy}, status: {ports}}: Report): readonly Block[] {
	const {blocked = [], sources = []} = policy;
	return [
		pairs([
			['Role', policy.role],
			['Other ports', `blocked (${policy.verdict})`],
			['Blocked packets', policy.log ? 'logged, rate limited' : 'not logged'],
			['Helpers', policy.helpers.join(', ') || 'none'],
			[
				'Published ports',
				policy.published === 'policy' ? 'the policy decides' : 'left to their programs',
			],
			...(blocked.length === 0
				? []
				: [['Blocked addresses', blocked.map(printNetwork).join(', ')] as const]),
			...sources.map(
				({name, networks, file}) =>
					[
						`@${name}`,
						`${networks.map(printNetwork).join(', ')}${file === undefined ? '' : `, from ${file}`}`,
					] as const,
			),
		]),
		ports.open.length === 0
			? text('No port is open.')
			: {
					kind: 'table',
					head: ['Open', 'Program that listens', 'Comment'],
					rows: ports.open.map(({opening: {comment = '', ...opening}, programs}) => [
						cell(printOpening(opening as Opening), 'code'),
						cell(programs.join(', ') || (opening.kind === 'port' ? 'nothing listens' : '')),
						cell(comment),
					]),
				},
	];
}

/** What can be reached without this firewall comes first, then what can be now. */
function exposureBlocks({exposure}: Report): readonly Block[] {
	const {rows, protocols = [], tried, unread} = exposure;
	const swapped = [
		...rows.map((row) => cellsOf(row, true)),
		...protocols.map((row) => protocolCells(row, true)),
	];
	return [
		{
			kind: 'table',
			head: ['Port', 'From', 'Without it', 'Now', 'What'],
			rows: swapped.map(([now = '', without = '', port = '', from = '', what = '']) => [
				...[cell(port, 'code'), cell(from), cell(without)],
				...[cell(now, now === REACH_WORDS.open ? 'open' : 'muted'), cell(what)],
			]),
		},
		text(
			tried
				? 'Tried with packets to a copy of this machine, with the rules of fw-wizard and without.'
				: 'Read from the rules, not tried with packets.',
		),
		...unread.map((one) => text(one, 'warn')),
	];
}

function checklistTable({items}: Report): Block {
	const words = {ok: cell('ok', 'good'), failed: cell('failed', 'bad'), open: cell('open', 'warn')};
	return {
		kind: 'table',
		head: ['State', 'What'],
		rows: items.map(({title, state, cause, fix}) => [
			words[state],
			cell(
				`${title}${cause === undefined ? '' : `: ${cause}`}${fix === undefined ? '' : `. To do: ${fix}`}`,
			),
		]),
	};
}

function ruleBlocks({compiled: {ruleSet}}: Report): readonly Block[] {
	return groupBy(mergeFamilies(ruleSet), ({own}) => own.name).flatMap((rows): readonly Block[] => {
		const [{own}] = rows;
		return [
			text(`${own.name}, from ${own.from} of table ${own.table}:`),
			{
				kind: 'table',
				head: ['#', 'IPv', 'Rule', 'Reason'],
				rows: rows.map(({index, families, text: rule, rule: {reason}}) => [
					cell(`${index}`),
					cell(families.join('+')),
					cell(rule, 'code'),
					cell(reason?.text ?? ''),
				]),
			},
		];
	});
}

function versionTable({system, facts: {iptables, interfaces}}: Report): Block {
	return pairs([
		['fw-wizard', FW_WIZARD_VERSION],
		['Kernel', system.kernel],
		['Distribution', system.distribution.value ?? 'unknown'],
		['Init system', system.init],
		['iptables', iptables === undefined ? 'absent' : `${iptables.version} (${iptables.backend})`],
		['nft', system.nft.value ?? 'unknown'],
		...interfaces.map(({name, addresses}) => [name, addresses.join(', ')] as const),
	]);
}
