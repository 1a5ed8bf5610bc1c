import {compareScans, type ScansComparison} from '../app/compare-scans.ts';
import {readAtMost} from '../host/files/atomic-write.ts';
import type {Facts} from '../host/machine/facts.ts';
import {describeError, InputError} from '../lib/errors.ts';
import {printJson} from '../lib/json.ts';
import type {CompiledPolicy} from '../ruleset/build.ts';
import type {Output} from './run-action.ts';

/** Bytes. Enough for several scans of all ports of both families and protocols. */
const MOST_BYTES = 200e6;

type NmapFlags = {readonly from?: string; readonly json?: boolean};

/**
 * `fw-wizard prove --nmap FILE`: compares a scan that was made from another machine to the policy.
 * @returns what to print, and 0 where the scan shows what the policy says, otherwise 1
 * @throws {InputError} where the file is no scan, or `--from` fits none
 */
export async function proveWithNmap(
	file: string,
	{from, json = false}: NmapFlags,
	compiled: CompiledPolicy,
	facts: Facts,
): Promise<Output> {
	const comparison = await compareScans(facts, compiled, readText(file), from);
	const {proven, addresses, ports, differences, unjudged} = comparison;
	return {
		code: proven ? 0 : 1,
		text: json
			? printJson({proven, addresses, ports, differences, unjudged})
			: printComparison(comparison),
	};
}

function printComparison({
	proven,
	addresses,
	ports,
	differences,
	unjudged,
	dependsOnSource,
}: ScansComparison): string {
	return [
		...differences.map((text) => `Difference: ${text}`),
		...unjudged.map((text) => `Not judged: ${text}`),
		ports === 0
			? 'The scan lists no port: it proves nothing.'
			: proven
				? `The scan of ${addresses.join(', ')} lists ${ports} ports, and none contradicts the policy.`
				: differences.length > 0
					? 'The scan contradicts the policy.'
					: 'The scan does not show whether the policy is in effect.',
		...(dependsOnSource
			? ['To judge more, add the address that the scan was made from: --from ADDRESS']
			: []),
		'',
	].join('\n');
}

function readText(file: string): string {
	try {
		return readAtMost(file, MOST_BYTES);
	} catch (error) {
		throw new InputError(
			`The scan cannot be read: ${describeError(error, file)}`,
			'Make one with: nmap -sS -p- -T4 -oX scan.xml HOST',
		);
	}
}
