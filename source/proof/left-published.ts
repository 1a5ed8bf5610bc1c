import {joinSome} from '../lib/list.ts';
import {printPorts, subtractRanges} from '../lib/port-ranges.ts';
import type {Policy} from '../policy/policy.ts';
import type {RulesUnderTest} from '../testbed/load-rules.ts';
import type {SeenPorts} from './compare-ports.ts';
import {CURE, publisherOf} from './published.ts';
import {FACTS, type PortDifference} from './report.ts';
import type {NamedVantagePoint} from './vantage-points.ts';

/** More ranges than these are counted. */
const MOST_RANGES = 6;

/** Whether a difference is only that a policy leaves ports to the program that publishes them. */
export function isLeft(
	{fact, ports}: Pick<PortDifference, 'fact' | 'ports'>,
	{published}: Policy,
	source: RulesUnderTest,
): boolean {
	return (
		fact === FACTS.forwarded &&
		published !== 'policy' &&
		ports.every((range) => publisherOf(range, source) !== undefined)
	);
}

/**
 * The published ports that a policy leaves as they are, and that are open to strangers:
 * `8080/tcp (Docker) is open as published; to let the policy decide: --published policy`
 * @returns none where it governs them
 */
export function describeLeft(
	views: ReadonlyArray<
		Pick<SeenPorts, 'forwarded' | 'expected'> & {readonly vantagePoint: NamedVantagePoint}
	>,
	policy: Policy,
	source: RulesUnderTest,
): readonly string[] {
	const names = new Set<string>();
	let canClose = false;
	const strangers = views.filter(
		({vantagePoint}) => vantagePoint.kind === 'anywhere' && policy.published !== 'policy',
	);
	for (const {forwarded, expected} of strangers) {
		for (const protocol of ['tcp', 'udp'] as const) {
			for (const range of subtractRanges(forwarded[protocol], expected[protocol])) {
				const publisher = publisherOf(range, source);
				if (publisher !== undefined) {
					names.add(`${printPorts(range, '-')}/${protocol} (${publisher.program.name})`);
					canClose ||= publisher.cause.endsWith(CURE);
				}
			}
		}
	}

	return names.size === 0
		? []
		: [
				`${joinSome([...names], MOST_RANGES)} ${names.size === 1 ? 'is' : 'are'} open as published${canClose ? '; to let the policy decide: --published policy' : ''}`,
			];
}
