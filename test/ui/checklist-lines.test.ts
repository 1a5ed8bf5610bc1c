import {describe, expect, it} from 'vitest';
import type {Item} from '../../source/checklist/checklist-item.ts';
import {checklistLines, isReadyToReboot} from '../../source/ui/text/checklist.ts';

const WELL: Item = {id: 'policy', title: 'the policy is stored', state: 'ok'};
const BROKEN: Item = {
	id: 'service',
	title: 'the boot service is enabled',
	state: 'failed',
	cause: 'fw-wizard.service is disabled',
	fix: 'fw-wizard check --fix',
};
const SURVIVED: Item = {id: 'survived', title: 'it has survived a boot', state: 'open'};

describe('checklistLines', () => {
	it('says all of what a scan must say, while it is to do', () => {
		const scanned: Item = {id: 'scanned', title: 'scanned', state: 'open', cause: 'nmap'};
		const text = (state: Item['state']) =>
			checklistLines([{...scanned, state}], 40, 'drop')
				.map((line) => line.text.trim())
				.join(' ');
		expect(text('open')).toContain(
			'expected: open ports: open or closed; all others: filtered (TCP), open|filtered (UDP)',
		);
		expect(text('ok')).not.toContain('right is');
	});

	it('shows what is not well first, with its cause and what to do', () => {
		expect(
			checklistLines([WELL, SURVIVED, BROKEN], 60, 'reject').map(({text}) => text.slice(1)),
		).toEqual([
			' the boot service is enabled',
			'   fw-wizard.service is disabled',
			'   fw-wizard check --fix',
			' it has survived a boot',
			' the policy is stored',
		]);
	});

	it('cuts nothing off on a narrow terminal', () => {
		const lines = checklistLines([BROKEN], 24, 'reject');
		expect(Math.max(...lines.map(({text}) => text.length))).toBeLessThanOrEqual(24);
		expect(lines.map(({text}) => text.trim()).join(' ')).toContain('fw-wizard.service is disabled');
	});
});

describe('isReadyToReboot', () => {
	it('asks that all is well but the boot itself', () => {
		expect(isReadyToReboot([WELL, SURVIVED])).toBe(true);
		expect(isReadyToReboot([WELL, BROKEN, SURVIVED])).toBe(false);
		expect(isReadyToReboot([WELL, {...BROKEN, state: 'open'}])).toBe(false);
		expect(isReadyToReboot([WELL, {...SURVIVED, state: 'failed'}])).toBe(false);
	});
});
