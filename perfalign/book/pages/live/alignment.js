/* Two views aligned in the browser, as `PerfectAlignment` and
   `existence_report` do it: centred, whitened, in the principal gauge. */
globalThis.perfalign = globalThis.perfalign || {};
perfalign.align = (() => {
  "use strict";
  const { Matrix, SVD, EVD } = mlMatrix;
  const EPS = Number.EPSILON;
  const TIE = Math.sqrt(EPS);
  const norm = (column) => Math.hypot(...column);

  const svd = (matrix) => {
    const found = new SVD(matrix, { autoTranspose: true });
    return {
      U: found.leftSingularVectors,
      s: found.diagonal,
      V: found.rightSingularVectors,
    };
  };
  const part = (matrix, columns) =>
    matrix.subMatrix(0, matrix.rows - 1, 0, columns - 1);

  /* A view about its mean, and what may be rounding in each channel. */
  const centred = (rows, rtol) => {
    const X = new Matrix(rows);
    const mean = X.mean("column");
    const block = X.clone().subRowVector(mean);
    const columns = [...mean.keys()];
    const norms = columns.map((j) => norm(X.getColumn(j)));
    const rounding = columns.map((j) =>
      Math.max(rtol * norm(block.getColumn(j)), 4 * EPS * norms[j] + 1e-300));
    return { block, mean, norms, rounding };
  };

  /* Orthonormal coordinates U of a view, its rank, and the way to them. */
  const whiten = ({ block, rounding }, least) => {
    const units = rounding.map((unit, j) =>
      norm(block.getColumn(j)) > unit ? 1 / unit : 0);
    const { U, s, V } = svd(block.clone().mulRowVector(units));
    const rank = s.filter((value) => value > least).length;
    const kept = s.slice(0, rank);
    const basis = part(V, rank).mulColumnVector(units);
    basis.divRowVector(kept);
    return { U: part(U, rank), s: kept, basis, rank };
  };

  /* Pairs of directions (y, z), best agreement first, and how far they miss.
     Where they hardly do, the cosine does not know by how much; the vectors
     themselves do (Björck and Golub 1973). */
  const principalPairs = (one, two) => {
    const { U, s, V } = svd(one.U.transpose().mmul(two.U));
    const count = Math.min(one.rank, two.rank);
    const cosines = s.map((value) => Math.min(value, 1)).slice(0, count);
    const sigma = cosines.map((value) => Math.sqrt(1 - value));
    let [Y, Z] = [part(U, count), part(V, count)];
    const near = cosines.filter((value) => value > 0.5).length;
    if (near) {
      const [y, z] = [part(Y, near), part(Z, near)];
      const apart = svd(
        one.U.mmul(y).sub(two.U.mmul(z)).mul(Math.SQRT1_2));
      const order = [...apart.s.keys()].reverse();
      const Q = new Matrix(apart.V).subMatrixColumn(order);
      order.forEach((from, to) => (sigma[to] = apart.s[from]));
      [[Y, y], [Z, z]].forEach(([all, some]) =>
        all.setSubMatrix(some.mmul(Q), 0, 0));
    }
    return { Y, Z, cosines, sigma };
  };

  /* The first so many misfits are zero; further ones tie with near ones. */
  const tiedGroups = (sigma, perfect) => {
    const groups = [[0]];
    for (let j = 1; j < sigma.length; j++) {
      const apart = sigma[j] - sigma[j - 1] > TIE * sigma[j];
      const starts = j < perfect ? false : j === perfect ? true : apart;
      starts ? groups.push([j]) : groups[groups.length - 1].push(j);
    }
    return groups;
  };

  /* Within a tie, what explains most of the channels comes first. */
  const rotate = (encoders, views, groups) => {
    const carried = views.map(({ block, rounding }, m) => {
      const scale = rounding.map((least, j) => {
        const size = norm(block.getColumn(j));
        return size > least ? 1 / size : 0;
      });
      const latents = block.mmul(encoders[m].transpose());
      return block.clone().mulRowVector(scale).transpose().mmul(latents);
    });
    const moment = carried
      .map((loadings) => loadings.transpose().mmul(loadings))
      .reduce((a, b) => a.add(b));
    const turn = Matrix.zeros(moment.rows, moment.rows);
    for (const group of groups) {
      const found = new EVD(moment.selection(group, group), {
        assumeSymmetric: true,
      });
      const order = found.realEigenvalues
        .map((value, j) => [value, j])
        .sort((a, b) => b[0] - a[0]);
      order.forEach(([, from], to) =>
        group.forEach((row, i) =>
          turn.set(row, group[to], found.eigenvectorMatrix.get(i, from))));
    }
    return encoders.map((A) => turn.transpose().mmul(A));
  };

  /* One sign a component: that of its largest entry, in units of norms. */
  const orient = (encoders, views) => {
    for (let j = 0; j < encoders[0].rows; j++) {
      const row = encoders.flatMap((A, m) =>
        A.getRow(j).map((value, i) => value * views[m].norms[i]));
      const largest = Math.max(...row.map(Math.abs));
      const first = row.find((v) => Math.abs(v) >= (1 - 1e-6) * largest);
      if (first < 0) encoders.forEach((A) => A.mulRow(j, -1));
    }
  };

  const spectrum = ({ cosines, sigma }, total) => {
    const opposite = cosines.map((value) => Math.sqrt(1 + value));
    const alone = Array(total - 2 * cosines.length).fill(1);
    return [...opposite, ...alone, ...sigma].sort((a, b) => b - a);
  };

  /* Between two unit vectors, in degrees; sigma is their chord over √2.
     The cosine of a small angle would not know it. */
  const angle = (sigma) => (360 / Math.PI) * Math.asin(sigma * Math.SQRT1_2);

  /* Rows of the two arrays are pairs; k components. */
  return (rows1, rows2, k) => {
    const n = rows1.length;
    const d = rows1[0].length + rows2[0].length;
    const rtol = Math.max(n, d) * EPS;
    const least = 1 + Math.sqrt(d / n);
    const views = [rows1, rows2].map((rows) => centred(rows, rtol));
    const white = views.map((view) => whiten(view, least));
    const [one, two] = white;
    const signals = Matrix.zeros(n, one.rank + two.rank);
    signals.setSubMatrix(one.U.clone().mulRowVector(one.s), 0, 0);
    signals.setSubMatrix(two.U.clone().mulRowVector(two.s).neg(), 0, one.rank);
    const joint = svd(signals).s.filter((value) => value > least).length;
    const ranks = white.map((view) => view.rank);
    const total = ranks[0] + ranks[1];
    const shared = Math.max(0, total - joint);
    const vacuous = Math.max(0, total - (n - 1));

    const pairs = principalPairs(one, two);
    const groups = tiedGroups(pairs.sigma, shared);
    const used = groups.filter((group) => group[0] < k);
    const taken = used.flat().length;
    const scale = Math.sqrt(n); // of √(2 n) and the √½ of (y, z)
    let encoders = [pairs.Y, pairs.Z].map((vectors, m) =>
      white[m].basis.mmul(part(vectors, taken)).mul(scale).transpose());
    encoders = rotate(encoders, views, used)
      .map((A) => A.subMatrix(0, k - 1, 0, A.columns - 1));
    orient(encoders, views);
    return {
      ranks,
      stackRank: total - shared,
      nullity: d - total + shared,
      shared,
      vacuous,
      evidence: Math.max(0, shared - vacuous),
      singularValues: spectrum(pairs, total),
      angles: pairs.sigma.map(angle),
      encoders: encoders.map((A) => A.to2DArray()),
      means: views.map((view) => view.mean),
    };
  };
})();
