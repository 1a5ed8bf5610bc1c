import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {InputError} from '../../source/lib/errors.ts';
import {checkComment, printComment, takeComment} from '../../source/policy/comment.ts';
import {printOpening} from '../../source/policy/opening.ts';
import {parseOpenings, parseOpeningWords} from '../../source/policy/parse-opening.ts';
import {comments} from '../_helpers/samples/arbitraries.ts';

const merge = (text: string) => parseOpenings(text, new Map()).map(printOpening);

describe('a comment', () => {
	it('is read back as it was printed, behind any opening', () => {
		fc.assert(
			fc.property(comments, (comment) => {
				expect(takeComment(`22/tcp ${printComment(comment)}`)).toEqual({rest: '22/tcp', comment});
			}),
		);
	});

	it.each([
		'80/tcp comment "a, \\"b\\" from c", 443/tcp comment "d"',
		'80/tcp from 10.0.0.0/8 comment "Office", 80/tcp from 192.0.2.1 comment "Home"',
		'mdns comment "Printers", esp comment "IPsec"',
	])('belongs to one opening of a list: %s', (text) => {
		expect(merge(text).join(', ')).toBe(text);
	});

	it.each([
		['80/tcp comment "old", 80/tcp comment "new"', ['80/tcp comment "new"']],
		['80/tcp comment "old", 80/tcp', ['80/tcp comment "old"']],
		['80-90/tcp comment "a", 80/tcp comment "b"', ['80-90/tcp comment "a"']],
		[
			'80-85/tcp comment "a", 85-90/tcp comment "b"',
			['80-85/tcp comment "a"', '85-90/tcp comment "b"'],
		],
		['80/tcp comment "a", 80/udp comment "a"', ['80 comment "a"']],
		['mdns comment "a", mdns comment "b"', ['mdns comment "b"']],
	])('of %s makes %j', (text, openings) => {
		expect(merge(text)).toEqual(openings);
	});

	it('needs no quotation marks where a shell has taken them', () => {
		const words = ['443/tcp', 'comment', 'the "Web"', '53'];
		expect(parseOpeningWords(words, new Map()).map(printOpening)).toEqual([
			'443/tcp comment "the \\"Web\\""',
			'53',
		]);
	});

	it.each([
		'80/tcp comment Web',
		'80/tcp comment ""',
		'80/tcp comment "a" from 10.0.0.0/8',
		'80/tcp comment "a\\n"',
		'80/tcp comment "a\nb"',
		`80/tcp comment "${'ü'.repeat(128)}"`,
		'80/tcp comment "\u202E"',
	])('is refused: %j', (text) => {
		expect(() => merge(text)).toThrow(InputError);
	});

	it('may have 255 bytes', () => {
		expect(checkComment(` ${'x'.repeat(255)}`)).toHaveLength(255);
		expect(() => checkComment('x'.repeat(256))).toThrow(InputError);
	});
});
