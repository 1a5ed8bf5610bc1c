import type {Manager} from '../existing/cleanup-plan.ts';
import type {ImportResult} from '../existing/describe-choice.ts';

/**
 * What the firewalls that are to be switched off allow, as openings. Undefined where none is to be
 * switched off, or where their rules cannot be translated.
 * @throws {HostError} where their rules cannot be read
 */
export async function importExisting(
	switchOff: readonly Manager[],
): Promise<ImportResult | undefined> {
	if (switchOff.length === 0) {
		return undefined;
	}

	const {readTranslation} = await import('../host/netfilter/import-rules.ts');
	return readTranslation(switchOff);
}
