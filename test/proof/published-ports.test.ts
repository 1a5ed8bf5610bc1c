import {expect, test} from 'vitest';
import type {Forwarded} from '../../source/proof/count-nft.ts';
import {publishedPorts} from '../../source/proof/published.ts';

const seen = (port: number, to: string, protocol: 'tcp' | 'udp' = 'tcp'): Forwarded => ({
	...{protocol, port, to, here: false},
});

test('published ports that lead to the same place stand together', () => {
	const range = [8002, 8000, 8001].map((port) => seen(port, `172.17.0.2:${port}`));
	const toOne = [9000, 9001, 9002].map((port) => seen(port, '[fd00::2]:80'));
	const others = [seen(8003, '172.17.0.3:8003'), seen(8003, '172.17.0.2:53', 'udp')];
	const published = [...others, ...range, ...toOne, seen(9003, '[fd00::2]:81')];
	expect(publishedPorts({published, forwarded: [...range, seen(9001, '[fd00::2]:80')]})).toEqual([
		{protocol: 'tcp', first: 8000, last: 8002, to: '172.17.0.2:8000-8002', open: true},
		{protocol: 'tcp', first: 8003, last: 8003, to: '172.17.0.3:8003', open: false},
		{protocol: 'tcp', first: 9000, last: 9000, to: '[fd00::2]:80', open: false},
		{protocol: 'tcp', first: 9001, last: 9001, to: '[fd00::2]:80', open: true},
		{protocol: 'tcp', first: 9002, last: 9003, to: '[fd00::2]:80-81', open: false},
		{protocol: 'udp', first: 8003, last: 8003, to: '172.17.0.2:53', open: false},
	]);
});

test('and so do those of which all lead to one port', () => {
	const published = [9000, 9001, 9002, 9003].map((port) =>
		seen(port, `172.17.0.2:${port === 9003 ? 81 : 80}`),
	);
	expect(publishedPorts({published, forwarded: published})).toEqual([
		{protocol: 'tcp', first: 9000, last: 9002, to: '172.17.0.2:80', open: true},
		{protocol: 'tcp', first: 9003, last: 9003, to: '172.17.0.2:81', open: true},
	]);
	expect(publishedPorts({published: [], forwarded: published})).toEqual([]);
});
