import process from 'node:process';
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import {apply} from '../../source/commands/apply.ts';
import {main} from '../../source/commands/main.ts';
import {startRehearsal} from '../../source/host/rehearsal/start.ts';

vi.mock('../../source/host/rehearsal/start.ts', () => ({
	startRehearsal: vi.fn(async () => 7),
	prepareRehearsal: vi.fn(),
}));
vi.mock('../../source/commands/apply.ts', () => ({apply: vi.fn(async () => 'applied\n')}));

beforeEach(() => {
	vi.stubGlobal('FW_WIZARD_VERSION', '1.2.3');
	vi.spyOn(process.stdout, 'write').mockReturnValue(true);
});

afterEach(() => {
	vi.restoreAllMocks();
	vi.unstubAllGlobals();
	vi.clearAllMocks();
});

const loadWizard = async () => import('../../source/ui/start.ts');
const fwWizard = (text: string) => main(['node', 'fw-wizard', ...text.split(' ')], loadWizard);

describe('flags before the command', () => {
	it.each(['--rehearse apply --role server', 'apply --role server --rehearse'])(
		'count as those behind it: "%s" touches nothing here',
		async (text) => {
			expect(await fwWizard(text)).toBe(7);
			expect(startRehearsal).toHaveBeenCalledOnce();
			expect(apply).not.toHaveBeenCalled();
		},
	);

	it.each(['--role server apply --open 53', '--role server --open 53 apply', '--no-open apply'])(
		'that say a policy are refused, not passed over: "%s"',
		async (text) => {
			vi.spyOn(process.stderr, 'write').mockReturnValue(true);
			expect(await fwWizard(text)).toBe(2);
			expect(apply).not.toHaveBeenCalled();
		},
	);

	it('behind the command say the policy', async () => {
		expect(await fwWizard('apply --role server --open 53')).toBe(0);
		expect(startRehearsal).not.toHaveBeenCalled();
		expect(apply).toHaveBeenCalledExactlyOnceWith(
			expect.objectContaining({role: 'server', open: ['53']}),
		);
	});
});
