import {hasNft} from '../host/netfilter/nftables.ts';
import {hasPort, intersectRanges, subtractRanges} from '../lib/port-ranges.ts';
import {PROTOCOLS} from '../policy/services.ts';
import {type ProofOptions, prove} from '../proof/prove.ts';
import {governs, publishedBy} from '../proof/published.ts';
import {FACTS, type PortDifference, type Proof, type View} from '../proof/report.ts';
import {OWN_PREFIX} from '../ruleset/model.ts';
import {hasOthers, type RulesUnderTest} from '../testbed/load-rules.ts';
import {type Comparison, compareRunning} from './compare-running.ts';
import {causeOf} from './describe-deviation.ts';
import type {RunningView} from './running-differences.ts';
import {withoutRateLimits} from './strip-rate-limits.ts';
import {findUncopied} from './unprobed-rules.ts';

/**
 * Proves rules as `prove` does. Where other programs' rules are among them, packets come also from the
 * networks that these name, on all interfaces, and are followed to where they are forwarded; differences
 * have the rule that does it as their cause. That takes nft(8): without it, the proof says so.
 * @param source the rules to prove: those of the whole machine, or our own alone
 * @throws {HostError} when nothing can be proven here
 */
export async function proveWhole(request: ProofOptions): Promise<Proof> {
	const {source} = request;
	// Without nft(8) packets are counted at the rules of iptables alone, and not followed.
	if (!hasOthers(source) || !hasNft()) {
		const leftOut = await findUncopied(source);
		const proof = await prove(request);
		return {...proof, leftOut: [...leftOut, ...proof.leftOut]};
	}

	const found = await compareRunning(source, request);
	const proof = await prove({...request, source: withoutLimitsOfOthers(source, found.unloaded)});
	const isProved = (seen: RunningView) =>
		proof.views.some(({vantagePoint}) => isSame(vantagePoint, seen.vantagePoint));
	return {
		...proof,
		views: [
			...proof.views.map((view) => {
				const seen = found.views.find(({vantagePoint}) => isSame(vantagePoint, view.vantagePoint));
				return seen ? withCauses(view, seen, found, request) : view;
			}),
			...found.views
				.map((seen) => {
					const view = {...seen, differences: []};
					return isProved(seen) ? view : withCauses(view, seen, found, request);
				})
				.filter((view) => view.differences.length > 0 || publishesMore(view, proof.views)),
		],
		checks: [
			...proof.checks.map((check) => {
				const {rule} = found.blocked.find((one) => namesOf(one).includes(check.name)) ?? {};
				return check.result === 'failed' && rule
					? {...check, detail: `${check.detail}: ${causeOf(rule)}`}
					: check;
			}),
			...found.unroutable.map((detail) => ({
				...{name: 'answers leave by the routes', result: 'failed' as const, detail},
			})),
		],
		leftOut: [...found.unloaded.map((name) => `table ${name}`), ...found.leftOut, ...proof.leftOut],
	};
}

/** Whether strangers find a port published there alone: at another address of this machine, or on another interface. */
function publishesMore({vantagePoint, published}: View, proved: readonly View[]): boolean {
	const known = proved
		.filter((view) => view.vantagePoint.family === vantagePoint.family)
		.flatMap((view) => view.published);
	return (
		vantagePoint.kind === 'anywhere' &&
		published.some(
			({protocol, first}) =>
				!known.some((one) => one.protocol === protocol && hasPort([one], first)),
		)
	);
}

/** The same without rate limits of others, which a sweep exceeds, and without what a copy cannot load. */
function withoutLimitsOfOthers(
	source: RulesUnderTest,
	unloaded: readonly string[],
): RulesUnderTest {
	const isLoaded = (text: string) => !unloaded.some((name) => text.startsWith(`table ${name} {`));
	const isOwn = (line: string) => line.startsWith(`-A ${OWN_PREFIX}`);
	return {
		...source,
		loads: source.loads
			.filter(({program, text}) => program !== 'nft' || isLoaded(text))
			.map((load) => ({
				...load,
				text: load.text
					.split('\n')
					.flatMap((line) => (isOwn(line) ? [line] : withoutRateLimits(line).split('\n')))
					.join('\n'),
			})),
		nativeTables: source.nativeTables.filter((name) => !unloaded.includes(name)),
	};
}

/** A stranger on an interface stands for the other strangers there. */
function isSame(one: View['vantagePoint'], other: View['vantagePoint']): boolean {
	return (
		one.family === other.family &&
		one.inInterface === other.inInterface &&
		one.kind === other.kind &&
		(one.kind === 'anywhere' || one.source === other.source)
	);
}

function namesOf({names, families}: Comparison['blocked'][number]): readonly string[] {
	return families.flatMap((family) => names.map((name) => `IPv${family}: ${name}`));
}

/** The causes that were found by evaluating INPUT of the filter table. */
const EVALUATED = /^(?:rule \d+ of|there are no|no rule decides)/;

/** The differences of a view, with the rules that were found by packets as their causes. */
function withCauses(
	view: View,
	{vantagePoint, expected, forwarded}: RunningView,
	{deviations}: Comparison,
	{policy, source}: ProofOptions,
): View {
	const differences = PROTOCOLS.flatMap((protocol): readonly PortDifference[] => {
		const named = deviations
			.filter(
				({families, from}) =>
					families.includes(vantagePoint.family) &&
					// Where both families differ alike, it names those of one.
					from.some(({kind, name}) => kind === vantagePoint.kind && name === vantagePoint.name),
			)
			.flatMap(({fate, ports, rule}) => {
				// The proof names it among the published ports.
				if (fate === 'sent on') {
					return [];
				}

				const fact = FACTS[fate];
				const own = rule?.own ?? true;
				const cause = causeOf(rule, fate);
				const evaluated = view.differences
					.filter(
						(one) => one.protocol === protocol && one.fact === fact && EVALUATED.test(one.cause),
					)
					.map((one) => ({
						...{protocol, fact, ports: intersectRanges(ports[protocol], one.ports)},
						cause:
							rule && one.cause.startsWith('rule ') && !cause.startsWith(one.cause)
								? `${one.cause}: ${cause}`
								: one.cause,
					}));
				const others = subtractRanges(
					ports[protocol],
					evaluated.flatMap((one) => one.ports),
				);
				return [
					...evaluated,
					{
						protocol,
						fact,
						ports: others,
						cause: causeOf(rule, fate, own ? '' : ', not part of this firewall'),
					},
				];
			});
		const explained = (fact: PortDifference['fact']) =>
			named.filter((one) => one.fact === fact).flatMap(({ports}) => ports);
		const rest = view.differences
			.filter((one) => one.protocol === protocol)
			.map((one) => ({...one, ports: subtractRanges(one.ports, explained(one.fact))}));
		// By packets, where the policy governs them.
		const left =
			vantagePoint.kind === 'inside' || governs(policy, vantagePoint) ? [] : forwarded[protocol];
		const published = subtractRanges(left, [
			...expected[protocol],
			...[...named, ...rest]
				.filter(({fact}) => fact === FACTS.forwarded)
				.flatMap(({ports}) => ports),
		]).map((range) => ({
			...{protocol, ports: [range], fact: FACTS.forwarded},
			cause: publishedBy(range, source),
		}));
		return [...named, ...rest, ...published].filter(({ports}) => ports.length > 0);
	});
	return {...view, differences};
}
