import type {TestSpecification} from 'vitest/node';
import {BaseSequencer} from 'vitest/node';

/**
 * The files that take longest, the slowest first. Each begins before all others, since one that begins
 * last keeps a single core busy while the other waits.
 */
const SLOW = [
	'lockout/watchdog',
	'boot/watchdog',
	'proof/faults',
	'proof/policies',
	'lockout/interrupt',
	'proof/places',
	'lockout/undo',
	'lockout/late',
	'lockout/confirm',
	'proof/helpers',
	'proof/ufw',
	'lockout/planted',
	'export/shell',
	'lockout/disk',
	'checklist/check-rules',
	'lockout/reapply',
	'boot/timer',
	'checklist/check-files',
	'lockout/apply',
	'boot/neighbours',
	'boot/init-systems',
	'boot/power-cycle',
	'proof/without-nft',
	'lockout/interrupt-cleanup',
	'system/apply',
	'terminal/walk',
	'system/cleanup',
	'system/exposure',
	'proof/verdicts',
];

export class SlowFirst extends BaseSequencer {
	override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
		const sorted = await super.sort(files);
		return sorted.sort((left, right) => rank(left) - rank(right));
	}
}

function rank({moduleId}: TestSpecification): number {
	const index = SLOW.findIndex((name) => moduleId.includes(`/test/${name}.test.`));
	return index === -1 ? SLOW.length : index;
}
