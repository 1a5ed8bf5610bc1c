import type {Facts} from '../host/machine/facts.ts';
import {InputError} from '../lib/errors.ts';
import {canonicalAddress, contains, familyOf} from '../lib/network.ts';
import {compareScan, type ScanComparison} from '../proof/nmap/compare-scan.ts';
import {readNmap, type Scan} from '../proof/nmap/read-scan.ts';
import {ownAddresses} from '../proof/sample-addresses.ts';
import {planForPolicy, vantagePointsOf} from '../proof/vantage-points.ts';
import type {CompiledPolicy} from '../ruleset/build.ts';

/** How the scans of a file compare to a policy. */
export type ScansComparison = ScanComparison & {
	/** The scanned addresses. */
	readonly addresses: readonly string[];
};

/**
 * Compares a scan that was made from another machine to a policy.
 * @param xml what nmap wrote with -oX
 * @param from the address that the scan was made from; absent: not known
 * @throws {InputError} where the text is no scan, or the scan cannot have come from that address
 */
export async function compareScans(
	facts: Facts,
	{policy, ruleSet}: CompiledPolicy,
	xml: string,
	from: string | undefined,
): Promise<ScansComparison> {
	const scans = readNmap(xml);
	const source = from === undefined ? undefined : canonicalAddress(from);
	if (source !== undefined) {
		checkSource(source, facts, scans);
	}

	const {vantagePoints} = await planForPolicy(policy, facts.interfaces, undefined);
	const known = source === undefined ? [] : await vantagePointsOf(source, policy, facts.interfaces);
	const compared = scans.map((scan) => {
		const [exact, possible] = [known, vantagePoints].map((points) =>
			points.filter(({family, kind}) => family === scan.family && kind !== 'inside'),
		);
		return compareScan(scan, ruleSet, policy.verdict, exact?.length ? exact : (possible ?? []));
	});
	const ports = compared.reduce((sum, one) => sum + one.ports, 0);
	return {
		addresses: scans.map(({address}) => address),
		ports,
		differences: compared.flatMap(({differences}) => differences),
		unjudged: compared.flatMap(({unjudged}) => unjudged),
		dependsOnSource: source === undefined && compared.some((one) => one.dependsOnSource),
		proven: ports > 0 && compared.every(({proven}) => proven),
	};
}

/** @throws {InputError} where no scan can have been made from an address */
function checkSource(source: string, {interfaces}: Facts, scans: readonly Scan[]): void {
	if (ownAddresses(interfaces).has(source) || contains('127.0.0.0/8', source) || source === '::1') {
		throw new InputError(
			`${source} is this machine: its packets to itself pass every firewall`,
			'Make the scan from another machine',
		);
	}

	const family = familyOf(source);
	if (scans.every((scan) => scan.family !== family)) {
		throw new InputError(
			`${source} is an IPv${family} address, and no IPv${family} address was scanned`,
			`Scan an IPv${family} address of this machine, or leave --from out`,
		);
	}
}
