import {BOOT_CHOICES, type BootChoice} from '../../persistence/init-system.ts';
import {parseWord} from '../../policy/policy.ts';

/** How the user wants the rules to be loaded at boot, where they say it. @throws {InputError} */
export function parseBoot(text: string | undefined): BootChoice | undefined {
	return text === undefined ? undefined : parseWord(text, BOOT_CHOICES, 'way of booting');
}
