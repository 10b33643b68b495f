"""What real files hold, written down by hand from their notes and their bytes before any draft
of them was looked at: type, unit and texts for a missing value of every column.

A line is `header | type | unit | missing`. `a/b` allows either, `-` is none. Digits that only
name something (a complaint's number) may be whole numbers or text; where zeros lead, only text.
"""

from __future__ import annotations

from typing import NamedTuple


class Truth(NamedTuple):
    """What is true of one file.

    Attributes:
        dialect: format, encoding, delimiter and line of the header (`-` where it has none).
        columns: by header: types, units and missing texts that are right.
    """

    dialect: tuple[str, str, str, int]
    columns: dict[str, tuple[set[str], set[str], set[str]]]


def _truth(format: str, encoding: str, delimiter: str, header: int, lines: str) -> Truth:
    columns = {}
    for line in lines.strip().splitlines():
        name, types, units, missing = (part.strip() for part in line.rsplit("|", 3))
        marks = set() if missing == "-" else set(missing.split())
        columns[name] = (set(types.split("/")), set(units.split(" or ")), marks)
    return Truth((format, encoding, delimiter, header), columns)


FILES = {
    "messy_reclamos_csv/reclamos.csv": _truth("csv", "latin-1", ";", 1, """
        id_cliente | string | - | -
        tx_zona | string | - | -
        tx_reclamo | string | - | -
        fc_reclamo | date | - | -
    """),
    "complaints_caba_consumer/denuncias-defensa-del-consumidor.csv": _truth(
        "csv", "UTF-8", ",", 1, """
        denuncia_id | integer/string | - | -
        fecha | date | - | -
        comuna | integer/string | - | -
        motivo_denuncia | string | - | -
        rubro | string | - | -
    """),
    "iquitos_challenge/Environmental_data/IquitosPE000084377.csv": _truth(
        "csv", "UTF-8", ",", 1, """
        YYYY | integer | - | -
        MM | integer | - | -
        DD | integer | - | -
        TMAX | number | °C | -9999.0
        TMIN | number | °C | -9999.0
        TAVG | number | °C | -9999.0
        TDTR | number | °C | -9999.0
        PRCP | number | mm | -9999.0
    """),
    "climate_indices/oni_monthly.csv": _truth("csv", "UTF-8", ",", 1, """
        year | integer | - | -
        season | string | - | -
        oni | number | °C | -
        month | integer | - | -
        date | date | - | -
    """),
    "malaria_loreto_monthly/error_metrics_total_districts.csv": _truth("csv", "UTF-8", ",", 1, """
        ubigeo | string | - | -
        year | integer | - | -
        month | integer | - | -
        viv | integer | cases | -
        fal | integer | cases | -
        pob | integer | inhabitants | -
        pc1_clim | number | 1 | -
        pc2_clim | number | 1 | -
        pc3_clim | number | 1 | -
        pc4_clim | number | 1 | -
        pc5_clim | number | 1 | -
        pc1_hidr | number | 1 | -
        pc2_hidr | number | 1 | -
        pc3_hidr | number | 1 | -
        pc4_hidr | number | 1 | -
        pc1_veg | number | 1 | -
        pc2_veg | number | 1 | -
        pc3_veg | number | 1 | -
        predicted_fal_rf | integer | cases | -
        predicted_viv_rf | integer | cases | -
        residual_fal_rf | integer | cases | -
        residual_viv_rf | integer | cases | -
        predicted_fal_xgb | integer | cases | -
        predicted_viv_xgb | integer | cases | -
        residual_fal_xgb | integer | cases | -
        residual_viv_xgb | integer | cases | -
        predicted_fal_svm | integer | cases | -
        predicted_viv_svm | integer | cases | -
        residual_fal_svm | integer | cases | -
        residual_viv_svm | integer | cases | -
    """),
    "lambayeque_ira/salud_dataset_iras_2010_2023.csv": _truth("csv", "UTF-8", ",", 1, """
        departamento | string | - | -
        provincia | string | - | -
        distrito | string | - | -
        anio | integer | - | -
        semana | integer | - | -
        sub_reg_nt | integer/string | - | -
        ubigeo | string | - | -
        ira_no_neumonia | integer | cases | -
        neumonias_men5 | integer | cases | -
        neumonias_60mas | integer | cases | -
        hospitalizados_men5 | integer | patients or cases | -
        hospitalizados_60mas | integer | patients or cases | -
        defunciones_men5 | integer | deaths | -
        defunciones_60mas | integer | deaths | -
    """),
    "minsa_dengue_maynas_2018_2019/dengue.csv": _truth("csv", "UTF-8", ",", 1, """
        departamento | string | - | -
        provincia | string | - | -
        distrito | string | - | -
        localidad | string | - | NA
        enfermedad | string | - | -
        ano | integer | - | -
        semana | integer | - | -
        diagnostic | string | - | -
        diresa | integer/string | - | -
        ubigeo | string | - | -
        localcod | string | - | NA
        edad | integer | as age_unit says | -
        tipo_edad | string | - | -
        sexo | string | - | -
    """),
    "ubigeo_peru/ubigeo_distrito.csv": _truth("csv", "UTF-8", ",", 1, """
        inei | string | - | NA
        reniec | string | - | NA
        departamento | string | - | -
        provincia | string | - | -
        distrito | string | - | -
        region | string | - | -
        macroregion_inei | string | - | -
        macroregion_minsa | string | - | -
        iso_3166_2 | string | - | -
        fips | string | - | -
        capital | string | - | NA
        superficie | number | km2 | NA S.I.
        pob_densidad_2020 | number | inhabitants km-2 or persons km-2 | NA S.I.
        altitude | integer/number | m | NA
        latitude | number | degree | NA
        longitude | number | degree | NA
        indice_vulnerabilidad_alimentaria | number | 1 | NA
        idh_2019 | number | 1 | NA
        pct_pobreza_total | number | % | NA
        pct_pobreza_extrema | number | % | NA
    """),
    "peru_geojson/peru_departamental_simple.geojson": _truth("json", "UTF-8", "-", 1, """
        NOMBDEP | string | - | -
        COUNT | integer | districts or count | -
        FIRST_IDDP | string | - | -
        HECTARES | number | ha | -
        geometry | string | - | -
    """),
    "peru_district_context/pobreza2018_district.csv": _truth("csv", "UTF-8", ",", 1, """
        region | string | - | -
        provincia | string | - | -
        distrito | string | - | -
        ubigeo | string | - | -
        agrupados | string | - | -
        pob_2020 | number | inhabitants or persons | -
        conf_95_inf | number | % | -
        conf_95_sup | number | % | -
        grupo_robusto_regional | number | - or 1 | -
        ubicacion_pobreza_monetaria_total_regional | number | - or 1 | -
        grupo_robusto_nacional | number | - or 1 | -
        ubicacion_pobreza_monetaria_total_nacional | number | - or 1 | -
        pobreza_monetaria | number | % | -
    """),
}  # fmt: skip
"""Ten files that the guesses were tried on."""

LEFT_OUT = {
    "lambayeque_ira/natalidad_data_natalidad_2020-2025.csv": _truth("csv", "UTF-8", ";", 1, """
        anio | integer | - | -
        num_mes | integer | - | -
        departamento | string | - | -
        provincia | string | - | -
        distrito | string | - | -
        sector | string | - | -
        area | string | - | -
        categoria | string | - | -
        descripcion | string | - | -
        cantidad | integer | births or count | -
        fecha_data | date | - | -
    """),
    "lambayeque_ira/seguridad_delitos_delitos_2019-2023.csv": _truth("csv", "UTF-8", ";", 1, """
        periodo_denuncia | string | - | -
        anio_denuncia | integer | - | -
        fecha_descarga | date | - | -
        distrito_fiscal | string | - | -
        especialidad | string | - | -
        tipo_caso | string | - | -
        generico | string | - | -
        subgenerico | string | - | -
        articulo | string | - | S/Art
        des_articulo | string | - | -
        cantidad | integer | complaints or count | -
        ubigeo | string | - | -
        dpto | string | - | -
        prov | string | - | -
        dist | string | - | -
        fecha_corte | date | - | -
    """),
    "lambayeque_ira/salud_mental_smental_atendidos_2017.csv": _truth("csv", "UTF-8", ",", 1, """
        Anio | integer | - | -
        NroMes | integer | - | -
        ubigeo | string | - | -
        Departamento | string | - | -
        Provincia | string | - | -
        Distrito | string | - | -
        Sexo | string | - | -
        Etapa | string | - | -
        Diagnostico | string | - | -
        Atendidos | integer | patients or persons | -
        Atenciones | integer | visits | -
    """),
    "loreto_climate_malaria/loreto_district_monthly_climate_malaria_2000_2017.csv": _truth(
        "csv", "UTF-8", ",", 1, """
        NOMBDIST | string | - | -
        year | integer | - | -
        month | integer | - | -
        falciparum | integer | cases | -
        vivax | integer | cases | -
        aet | number | mm | -
        prcp | number | mm | -
        q | number | mm | -
        soilm | number | mm | -
        tmax | number | °C | -
        tmin | number | °C | -
        water_deficit | number | mm | -
        loss | number | 1 or % | -
        loss_km2 | number | km2 | -
        cum_loss_km2 | number | km2 | -
        diag | integer/boolean | - or 1 | -
        enviro | integer/boolean | - or 1 | -
        nets | integer/boolean | - or 1 | -
        workers | integer/boolean | - or 1 | -
        pamafro | integer/boolean | - or 1 | -
        pop2015 | integer | inhabitants or persons | -
        NOMBPROV | string | - | -
        NOMBDEP | string | - | -
        IDDIST | string | - | -
    """),
    "iquitos_challenge/Environmental_data/iquitos_noqc.csv": _truth("csv", "UTF-8", ",", 1, """
        Year | integer | - | -
        Week | integer | - | -
        [-3.750892162323 -73.2434844970703] | number | 1 | NaN
        [-3.750892162323 -73.2934875488281] | number | 1 | NaN
        [-3.70089221000671 -73.2434844970703] | number | 1 | NaN
        [-3.80089211463928 -73.2434844970703] | number | 1 | NaN
    """),
}  # fmt: skip
"""Five files that no guess was tried on until all were written."""
